import { isDeepStrictEqual } from "node:util";
import { KubeFault, type Found, type Manifest } from "#core/context.ts";
import { isFields } from "./merge.ts";
import { type Ranges, withAddresses } from "./services.ts";

/** The kinds whose `generation` counts the changes of all but metadata and status. */
const counted = new Set([
  "Deployment",
  "StatefulSet",
  "ReplicaSet",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "EndpointSlice",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "Pod",
]);

/**
 * Of who wrote what, no more than that a write of anything but a status shows, and only for kinds where somebody asks.
 * It is signed as Berth's, whoever it was: a test that plays a stranger signs for itself.
 * @param version of this write.
 */
export function writersOf(now: Found, before: Found | undefined, version: string, time: string): object {
  if (now.kind !== "Namespace" && now.kind !== "ResourceQuota") return {};
  const wanted = ({ metadata, status: _, ...rest }: Found): unknown => [rest, metadata.labels, metadata.annotations];
  if (before !== undefined && isDeepStrictEqual(wanted(before), wanted(now))) return {};
  return { managedFields: [{ manager: "berth", operation: "Update", time, fieldsV1: { [`f:${version}`]: {} } }] };
}

export const isCounted = (kind: string): boolean => counted.has(kind);

/**
 * An object with what a server fills in when it is made or changed.
 * @param live the object as it stands; undefined when it is being made.
 * @param others the other objects of its kind.
 */
export function withDefaults(
  manifest: Manifest,
  live: Found | undefined,
  others: Manifest[],
  ranges: Ranges,
): Manifest {
  switch (manifest.kind) {
    case "Service":
      return withAddresses(live === undefined ? manifest : withOldAddresses(manifest, live), others, ranges);
    case "Secret":
      return withData(manifest);
    case "Namespace": {
      const labels = { ...manifest.metadata.labels, "kubernetes.io/metadata.name": manifest.metadata.name };
      return {
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
        ...manifest,
        metadata: { ...manifest.metadata, labels },
      };
    }
    case "PersistentVolumeClaim": {
      const finalizers = live === undefined ? ["kubernetes.io/pvc-protection"] : manifest.metadata["finalizers"];
      return { status: { phase: "Pending" }, ...manifest, metadata: { ...manifest.metadata, finalizers } };
    }
    default:
      return manifest;
  }
}

// What was given once and is no longer asked for stays given.
function withOldAddresses(service: Manifest, live: Found): Manifest {
  const [now, then] = [service["spec"], live["spec"]];
  if (!isFields(now) || !isFields(then)) return service;
  const clusterIP = now["clusterIP"] ?? then["clusterIP"];
  if (clusterIP !== then["clusterIP"]) {
    throw new KubeFault("invalid", "Service: 422 Invalid spec.clusterIPs[0] FieldValueInvalid", { status: 422 });
  }
  const old = Array.isArray(then["ports"]) ? then["ports"].filter(isFields) : [];
  const ports = (Array.isArray(now["ports"]) ? now["ports"].filter(isFields) : []).map((port) => {
    const nodePort = port["nodePort"] ?? old.find((one) => one["port"] === port["port"])?.["nodePort"];
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  return { ...service, spec: { ...now, clusterIP, ports } };
}

function withData(secret: Manifest): Manifest {
  const { stringData, ...rest } = secret;
  const data = isFields(stringData)
    ? Object.entries(stringData).map(([key, text]) => [key, Buffer.from(String(text)).toString("base64")])
    : [];
  const old = isFields(rest["data"]) ? rest["data"] : {};
  return { type: "Opaque", ...rest, data: { ...old, ...Object.fromEntries(data) } };
}
