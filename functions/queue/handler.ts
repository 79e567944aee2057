import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { live } from "../wire.ts";
import { consume } from "./consume.ts";

/** The queue's handler. */
export const main = (event: SQSEvent): Promise<SQSBatchResponse> => consume(live(), event);
