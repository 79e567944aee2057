// What each function may do, whole: a right that is not here is one too many, one that is here and not granted, missing.

/** An action, on what, and under which condition where there is one. */
export type Right = string;

const read = ["GetItem", "BatchGetItem", "Query"].flatMap((action) => [
  `dynamodb:${action} on Data`,
  `dynamodb:${action} on Data/index/*`,
]);
const write = ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"].map(
  (action) => `dynamodb:${action} on Data`,
);
const mark = ["dynamodb:UpdateItem on Data if dynamodb:LeadingKeys is tnt_00000000000000000000000000/host"];
const record = ["dynamodb:PutItem on Data if dynamodb:LeadingKeys is tnt_*/audit"];
const chained = ["audit", "digest", "digestHead"].map((kind) => `tnt_*/${kind}`);
const signed = ["auditKey", "auditSigner"].map((kind) => `tnt_00000000000000000000000000/${kind}`);
const chain = ["PutItem", "UpdateItem"].map(
  (action) => `dynamodb:${action} on Data if dynamodb:LeadingKeys is ${[...chained, ...signed].join(" or ")}`,
);
const poke = ["sqs:SendMessage on Jobs"];
const take = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"];
const letters = take.map((action) => `sqs:${action} on Dead`);
const consume = [...take, "GetQueueAttributes", "GetQueueUrl"].map((action) => `sqs:${action} on Jobs`);
const bury = ["sqs:SendMessage on Dead"];

const bound = "if kms:EncryptionContext:tenant is there";
const cipher = (actions: string[], more = ""): Right[] =>
  actions.map((action) => `kms:${action} on Key ${bound}${more}`);
const seal = cipher(["GenerateDataKey", "Decrypt"]);
const hostsAlone = cipher(["Decrypt"], " and kms:EncryptionContext:name is target");
const auditAlone = cipher(["GenerateDataKey", "Decrypt"], " and kms:EncryptionContext:cluster is audit");

/** By function, as its role is named in sst.config.ts. */
export const rights: Readonly<Record<string, Right[]>> = {
  // The API opens no secret: whoever takes it over reads rows, and no key.
  Api: [...read, ...write, ...poke, ...letters],
  Access: [...read, ...write, ...poke, ...seal],
  Queue: [...read, ...write, ...poke, ...bury, ...consume, ...seal],
  Sweep: [...read, ...mark, ...poke, ...hostsAlone],
  Lap: [...read, ...mark, ...record, ...poke, ...hostsAlone],
  Round: [...read, ...poke, ...cipher(["Decrypt"])],
  Digest: [...read, ...chain, ...auditAlone],
  Bootstrap: [...read, ...write],
};
