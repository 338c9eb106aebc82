import { bytesAnswer, jsonAnswer, refusal, type V1Answer, type V1Seen } from "./v1-answer.ts";
import type { V1StoredImage } from "./v1-content.ts";
import { layerAnswer } from "./v1-layer-answer.ts";
import type { V1Context, V1Manner, V1Route } from "./v1-options.ts";
import { refuseToken } from "./v1-tokens.ts";

const CHECKSUM_HEADERS: Readonly<Record<V1Manner, string>> = {
  "0.6": "x-docker-checksum",
  "0.8": "x-docker-payload-checksum",
  "0.9": "x-docker-checksum-payload",
};

/** What a registry answers to GET and HEAD. */
export const readingRoute: V1Route = (request, context, path) => {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  if (path === "/_ping") return ping(context);
  const [, image, part = ""] = /^\/images\/([^/]+)\/(json|layer|ancestry)$/.exec(path) ?? [];
  if (image !== undefined) return imageAnswer(request, context, image, part);
  const [, repository, tag] = /^\/repositories\/((?:[^/]+\/)?[^/]+)\/tags(?:\/([^/]*))?$/.exec(path) ?? [];
  if (repository !== undefined) return tagAnswer(request, context, fullName(repository), tag || undefined);
  return undefined;
};

/** The redirect's target: no token, no cookie, nothing but bytes. */
export const storageRoute: V1Route = (request, { content, manner }, path) => {
  const [, id = "", part] = /^\/storage\/([0-9a-f]+)\/(json|layer|ancestry)$/.exec(path) ?? [];
  const image = content.images.get(id);
  if (part === undefined || image?.layer === undefined) return undefined;
  if (part === "json") return bytesAnswer(200, image.json);
  if (part === "ancestry") return jsonAnswer(200, image.ancestry);
  return layerAnswer(request, image.layer, manner);
};

/** One part means `library/`. */
export function fullName(name: string): string {
  return decodeURIComponent(name.includes("/") ? name : `library/${name}`);
}

function ping({ manner, options }: V1Context): V1Answer {
  const standalone = options.hasIndex === true ? "False" : "True";
  return jsonAnswer(200, true, {
    ...(manner === "0.9" ? {} : { "x-docker-registry-version": `${manner}.1`, "x-docker-registry-config": "test" }),
    ...(manner === "0.6" ? {} : { "x-docker-registry-standalone": standalone }),
  });
}

function imageAnswer(request: V1Seen, context: V1Context, id: string, part: string): V1Answer {
  const { content, options, manner, hostOf } = context;
  const refused = refuseToken(request, context, { image: id });
  if (refused !== undefined) return refused;
  const image = content.images.get(id);
  if (image === undefined) return refusal(404, "Image not found");
  if (image.isInProgress) return refusal(400, "Image is being uploaded, retry later");
  if (image.layer === undefined) return refusal(404, "Image not found");
  if (options.redirects === "all" || (options.redirects === "layers" && part === "layer")) {
    const location = `http://${hostOf("storage")}/storage/${id}/${part}`;
    return bytesAnswer(302, Buffer.alloc(0), { location, ...checksums(image, manner) });
  }
  if (part === "ancestry") return jsonAnswer(200, image.ancestry);
  if (part === "layer") return layerAnswer(request, image.layer, manner);
  const stated = image.statedSize === undefined ? image.layer.length : image.statedSize;
  const size: Record<string, string> = stated === null ? {} : { "x-docker-size": String(stated) };
  const type = { "content-type": "application/json" };
  return bytesAnswer(200, image.json, { ...type, ...size, ...checksums(image, manner) });
}

function checksums({ checksums: values }: V1StoredImage, manner: V1Manner): Record<string, string[]> {
  return values.length === 0 ? {} : { [CHECKSUM_HEADERS[manner]]: [...values] };
}

function tagAnswer(request: V1Seen, context: V1Context, name: string, tag: string | undefined): V1Answer {
  const refused = refuseToken(request, context, { repository: name });
  if (refused !== undefined) return refused;
  const tags = context.content.repositories.get(name)?.tags;
  if (tags === undefined) return refusal(404, "Repository not found");
  if (tag !== undefined) {
    const id = tags.get(decodeURIComponent(tag));
    return id === undefined ? refusal(404, "Tag not found") : jsonAnswer(200, id);
  }
  if (context.options.tags !== "array") return jsonAnswer(200, Object.fromEntries(tags));
  return jsonAnswer(
    200,
    [...tags].map(([each, id]) => ({ layer: id.slice(0, 8), name: each })),
  );
}
