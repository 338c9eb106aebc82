import { jsonAnswer, jsonBody, refusal, type V1Answer, type V1Seen } from "./v1-answer.ts";
import { payloadChecksum } from "./v1-content.ts";
import type { V1Context, V1Route } from "./v1-options.ts";
import { fullName } from "./v1-reading.ts";
import { refuseToken } from "./v1-tokens.ts";

const MAX_PARTS = 1000;

/** What a registry answers to PUT and DELETE, as strict as docker-registry: order, parents, checksums, tokens, cookies. */
export const writingRoute: V1Route = (request, context, path) => {
  const { method } = request;
  const [, image, part] = /^\/images\/([^/]+)\/(json|layer|checksum)$/.exec(path) ?? [];
  if (image !== undefined && method === "PUT") {
    const refused = refuseToken(request, context, { image }) ?? refuseAgent(request, context, part ?? "");
    if (refused !== undefined) return refused;
    if (part === "json") return putJson(request, context, image);
    return part === "layer" ? putLayer(request, context, image) : putChecksum(request, context, image);
  }
  const [, repository, tag] = /^\/repositories\/((?:[^/]+\/)?[^/]+)\/tags\/([^/]+)$/.exec(path) ?? [];
  if (repository !== undefined && tag !== undefined && (method === "PUT" || method === "DELETE")) {
    return changeTag(request, context, fullName(repository), decodeURIComponent(tag));
  }
  const [, deleted, slash] = /^\/repositories\/([^/]+(?:\/[^/]+)?)(\/?)$/.exec(path) ?? [];
  if (deleted === undefined || method !== "DELETE") return undefined;
  if (slash === "") return { status: 301, headers: { location: `${request.path}/` }, body: Buffer.alloc(0) };
  return remove(request, context, fullName(deleted));
};

/** 0.6.8 to 0.9.0 fail on a User-Agent that they cannot take apart. */
function refuseAgent({ headers }: V1Seen, { manner }: V1Context, part: string): V1Answer | undefined {
  const isDocker = /(?:^|\s)docker\/\d+\.\d+\.\d+(?:\s|$)/.test(headers["user-agent"] ?? "");
  if (manner !== "0.8" || part === "json" || isDocker) return undefined;
  return refusal(500, "Internal Server Error");
}

function putJson(request: V1Seen, { content }: V1Context, id: string): V1Answer {
  const value = jsonBody(request) as { id?: unknown; parent?: unknown } | null | undefined;
  const isJson = request.headers["content-type"] === "application/json" && typeof value === "object" && value !== null;
  if (!isJson) return refusal(400, "Invalid JSON");
  if (value.id !== id) return refusal(400, "JSON data contains invalid id");
  const known = content.images.get(id);
  if (known !== undefined && !known.isInProgress) return refusal(409, "Image already exists");
  const parent = typeof value.parent === "string" ? content.images.get(value.parent) : undefined;
  if (value.parent !== undefined && (parent === undefined || parent.isInProgress)) {
    return refusal(400, "Image depends on a non existing parent");
  }
  const ancestry = [id, ...(parent?.ancestry ?? [])];
  if (ancestry.length > MAX_PARTS) return refusal(400, "Too many parents");
  const checksums: string[] = [];
  content.images.set(id, { json: request.body, layer: undefined, ancestry, checksums, isInProgress: true });
  return jsonAnswer(200, true);
}

function putLayer(request: V1Seen, context: V1Context, id: string): V1Answer {
  const { content, tokens, manner } = context;
  const image = content.images.get(id);
  if (image === undefined) return refusal(404, "Image not found");
  if (!image.isInProgress) return refusal(409, "Image already exists");
  image.layer = request.body;
  if (manner !== "0.6") return jsonAnswer(200, true);
  const checksums = new Map([[id, payloadChecksum(image.json, request.body)]]);
  return jsonAnswer(200, true, tokens.open({ repository: tokens.find(request)?.repository, checksums }));
}

function putChecksum(request: V1Seen, { content, tokens, manner }: V1Context, id: string): V1Answer {
  const header = request.headers[manner === "0.6" ? "x-docker-checksum" : "x-docker-checksum-payload"];
  if (typeof header !== "string") return refusal(manner === "0.9" ? 412 : 400, "Missing Image's checksum");
  const image = content.images.get(id);
  if (image?.layer === undefined) return refusal(404, "Image not found");
  if (!image.isInProgress) return refusal(409, "Cannot set this image checksum");
  const known =
    manner === "0.6" ? tokens.session(request)?.checksums.get(id) : payloadChecksum(image.json, image.layer);
  if (known === undefined) return refusal(400, "Checksum not found in Cookie");
  if (header !== known) return refusal(400, "Checksum mismatch, ignoring the layer");
  image.checksums = [known];
  image.isInProgress = false;
  return jsonAnswer(200, true);
}

function changeTag(request: V1Seen, context: V1Context, name: string, tag: string): V1Answer {
  const { content } = context;
  const refused = refuseToken(request, context, { repository: name });
  if (refused !== undefined) return refused;
  if (request.method === "DELETE") {
    const isThere = content.repositories.get(name)?.tags.delete(tag) === true;
    return isThere ? jsonAnswer(200, true) : refusal(404, "Tag not found");
  }
  const id = jsonBody(request);
  if (typeof id !== "string") return refusal(400, "Invalid data");
  const image = content.images.get(id);
  if (image === undefined) return refusal(404, "Image not found");
  if (image.isInProgress) return refusal(400, "Image is being uploaded, retry later");
  content.repository(name).tags.set(tag, id);
  return jsonAnswer(200, true);
}

function remove(request: V1Seen, context: V1Context, name: string): V1Answer {
  const refused = refuseToken(request, context, { repository: name });
  if (refused !== undefined) return refused;
  const repository = context.content.repositories.get(name);
  if (repository === undefined) return refusal(404, "Repository not found");
  // With an index, it is the index that forgets the repository.
  if (context.options.hasIndex === true) repository.tags.clear();
  else context.content.repositories.delete(name);
  return jsonAnswer(200, true);
}
