import { type Answer, jsonAnswer } from "./answer.ts";
import { deleteBlob, readBlob } from "./blobs.ts";
import type { Exchange } from "./exchange.ts";
import { deleteManifest, readManifest, writeManifest } from "./manifests.ts";
import { listRepositories, listTags } from "./pages.ts";
import { listReferrers } from "./referrers.ts";
import { Refusal } from "./refusal.ts";
import type { Route } from "./routes.ts";
import { cancelUpload, continueUpload, finishUpload, startUpload, uploadStatus } from "./uploads.ts";

const METHODS: Readonly<Record<Route["kind"], readonly string[]>> = {
  ping: ["GET", "HEAD"],
  catalog: ["GET", "HEAD"],
  tags: ["GET", "HEAD"],
  referrers: ["GET", "HEAD"],
  blob: ["GET", "HEAD", "DELETE"],
  manifest: ["GET", "HEAD", "PUT", "DELETE"],
  uploads: ["POST"],
  upload: ["GET", "PATCH", "PUT", "DELETE"],
};

/** Answers one request of the distribution protocol. @throws Refusal */
export async function handleRequest(route: Route, exchange: Exchange): Promise<Answer> {
  const { method = "" } = exchange.request;
  const allowed = METHODS[route.kind];
  if (!allowed.includes(method)) {
    throw new Refusal(405, "UNSUPPORTED", `method ${method} has no meaning here, expected ${allowed.join(" or ")}`, {
      headers: { allow: allowed.join(", ") },
    });
  }
  switch (route.kind) {
    case "ping":
      return jsonAnswer(200, {});
    case "catalog":
      return listRepositories(exchange);
    case "tags":
      return listTags(exchange, route.repository);
    case "referrers":
      return await listReferrers(exchange, route.repository, route.digest);
    case "blob":
      if (method === "DELETE") return await deleteBlob(exchange, route.repository, route.digest);
      return await readBlob(exchange, route.repository, route.digest);
    case "manifest":
      if (method === "PUT") return await writeManifest(exchange, route.repository, route.reference);
      if (method === "DELETE") return await deleteManifest(exchange, route.repository, route.reference);
      return await readManifest(exchange, route.repository, route.reference);
    case "uploads":
      return await startUpload(exchange, route.repository);
    case "upload":
      if (method === "PATCH") return await continueUpload(exchange, route.repository, route.id);
      if (method === "PUT") return await finishUpload(exchange, route.repository, route.id);
      if (method === "DELETE") return await cancelUpload(exchange, route.repository, route.id);
      return uploadStatus(exchange, route.repository, route.id);
  }
}
