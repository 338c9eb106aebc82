import { InternalError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { type Answer, jsonAnswer } from "./answer.ts";
import { deleteBlob, readBlob } from "./blobs.ts";
import { type Exchange, namespaceOf, type StoreExchange } from "./exchange.ts";
import { listRepositories, listTags } from "./listings.ts";
import { deleteManifest, readManifest, writeManifest } from "./manifests.ts";
import { listReferrers } from "./referrers.ts";
import { Refusal } from "./refusal.ts";
import type { Route } from "./routes.ts";
import { cancelUpload, continueUpload, finishUpload, startUpload, uploadStatus } from "./uploads.ts";

const METHODS: Readonly<Record<Route["kind"], readonly string[]>> = {
  health: ["GET", "HEAD"],
  metrics: ["GET", "HEAD"],
  ping: ["GET", "HEAD"],
  catalog: ["GET", "HEAD"],
  tags: ["GET", "HEAD"],
  referrers: ["GET", "HEAD"],
  blob: ["GET", "HEAD", "DELETE"],
  manifest: ["GET", "HEAD", "PUT", "DELETE"],
  uploads: ["POST"],
  upload: ["GET", "PATCH", "PUT", "DELETE"],
};

/** A store, and what is being uploaded to it. */
export type WritableStore = Pick<StoreExchange, "registry" | "uploads">;

const READING: readonly string[] = ["GET", "HEAD"];

/**
 * Answers one request of the distribution protocol.
 *
 * @param store of a registry that can be written to.
 * @throws Refusal
 */
export async function handleRequest(
  route: Route,
  exchange: Exchange,
  store: WritableStore | undefined,
): Promise<Answer> {
  const { method = "" } = exchange.request;
  // Only those who write ask how far an upload is.
  const reading = route.kind === "uploads" || route.kind === "upload" ? [] : READING;
  const allowed = store === undefined ? reading : METHODS[route.kind];
  if (!allowed.includes(method)) {
    const found = store === undefined ? "this registry is read-only" : `method ${method} has no meaning here`;
    throw new Refusal(405, "UNSUPPORTED", `${found}, expected ${allowed.join(" or ") || "no upload"}`, {
      headers: { allow: allowed.join(", ") },
    });
  }
  if (store === undefined || reading.includes(method)) return await handleRead(route, exchange);
  return await handleWrite(route, { ...exchange, ...store });
}

/** Answers that follow `?ns=` say so (distribution specification, "Registry Proxying"). */
async function handleRead(route: Route, exchange: Exchange): Promise<Answer> {
  const { query, registry } = exchange;
  const ns = namespaceOf(query);
  if (registry.namespaces === undefined || ns === undefined || route.kind === "ping")
    return await read(route, exchange);
  if (!registry.namespaces.has(ns)) {
    throw new Refusal(404, "NAME_UNKNOWN", `no repository of registry ${quote(ns)} is in this registry`);
  }
  const answer = await read(route, exchange);
  return { ...answer, headers: { ...answer.headers, "oci-namespace": ns } };
}

async function read(route: Route, exchange: Exchange): Promise<Answer> {
  switch (route.kind) {
    case "health":
      return await exchange.watch.health();
    case "metrics":
      return exchange.watch.metrics();
    case "catalog":
      return listRepositories(exchange);
    case "tags":
      return await listTags(exchange, route.repository);
    case "referrers":
      return await listReferrers(exchange, route.repository, route.digest);
    case "blob":
      return await readBlob(exchange, route.repository, route.digest);
    case "manifest":
      return await readManifest(exchange, route.repository, route.reference);
    default:
      return jsonAnswer(200, {});
  }
}

async function handleWrite(route: Route, exchange: StoreExchange): Promise<Answer> {
  const { method = "" } = exchange.request;
  switch (route.kind) {
    case "blob":
      return await deleteBlob(exchange, route.repository, route.digest);
    case "manifest":
      if (method === "PUT") return await writeManifest(exchange, route.repository, route.reference);
      return await deleteManifest(exchange, route.repository, route.reference);
    case "uploads":
      return await startUpload(exchange, route.repository);
    case "upload":
      if (method === "PATCH") return await continueUpload(exchange, route.repository, route.id);
      if (method === "PUT") return await finishUpload(exchange, route.repository, route.id);
      if (method === "DELETE") return await cancelUpload(exchange, route.repository, route.id);
      return uploadStatus(exchange, route.repository, route.id);
    default:
      throw new InternalError(`Cannot write to ${route.kind}: found no handler, expected one`);
  }
}
