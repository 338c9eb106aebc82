import { EngineError } from "../../errors.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import { array, fields, nullish, number, type Schema, string } from "../../util/json/schema.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { Engine, EngineImage, UsedEngine } from "../engine.ts";
import { nameAmong, noSuchImage, readImageRequest } from "../image-request.ts";
import { apiLoad } from "./api-load.ts";
import { EngineClient } from "./engine-client.ts";
import { savedTar } from "./saved-tar.ts";

const MAX_VERSION = 64;

type ApiKind = "docker" | "podman";

interface ApiPaths {
  readonly images: string;
  image(name: string): string;
  save(name: string): string;
  readonly load: string;
}

// Docker without a version in the path answers as its newest one; podman's own API has one in each path.
const PATHS: Readonly<Record<ApiKind, ApiPaths>> = {
  docker: {
    images: "/images/json",
    image: name => `/images/${name}/json`,
    save: name => `/images/get?names=${name}`,
    load: "/images/load?quiet=1",
  },
  podman: {
    images: "/v4.0.0/libpod/images/json",
    image: name => `/v4.0.0/libpod/images/${name}/json`,
    save: name => `/v4.0.0/libpod/images/${name}/get?format=docker-archive`,
    load: "/v4.0.0/libpod/images/load",
  },
};

const VERSION = fields({ Version: string() });
const TAGGED: Schema<{ RepoTags?: readonly string[] | null | undefined; Size?: number | null | undefined }> = fields({
  RepoTags: nullish(array(string())),
  Size: nullish(number()),
});
/** Docker before 25 makes the whole archive on its disk before it sends the first byte. Bytes per millisecond. */
const SLOWEST_DISK = 5000;

/** Docker or podman by its HTTP API. */
export function apiEngine(kind: ApiKind, endpoint: Endpoint, idleMs: number): Engine {
  const client = new EngineClient(endpoint, idleMs);
  const paths = PATHS[kind];
  const { what, address } = endpoint;
  return {
    kind,
    what,
    async facts(signal): Promise<UsedEngine> {
      const found = await client.json("/version", VERSION, `ask ${what} for its version`, signal);
      if (found === undefined) throw new EngineError(`Cannot use ${what}: it has no version, expected ${kind}`);
      return { kind, version: escapeForeign(found.Version, MAX_VERSION), address };
    },
    async find(image, signal): Promise<EngineImage> {
      const request = readImageRequest(kind, image);
      const deed = `look for ${quote(image)} in ${what}`;
      const found = await client.json(paths.image(encodeURIComponent(request.text)), TAGGED, deed, signal);
      if (found === undefined) {
        const listed = client.json(paths.images, array(TAGGED), `list the images of ${what}`, signal);
        // That the image is not there matters more than a list that cannot be read.
        const all = await listed.catch(() => undefined);
        signal?.throwIfAborted();
        throw noSuchImage(
          what,
          kind,
          image,
          all?.flatMap(({ RepoTags }) => RepoTags ?? []),
        );
      }
      const name = nameAmong(request, found.RepoTags ?? []);
      return { request: name ?? request.text, name, isNamed: request.full !== undefined, bytes: found.Size ?? 0 };
    },
    async save({ request, bytes = 0 }, signal) {
      const deed = `read ${quote(request)} from ${what}`;
      const answer = await client.get(paths.save(encodeURIComponent(request)), deed, signal, bytes / SLOWEST_DISK);
      if (answer.statusCode === 200) return savedTar(answer, deed);
      answer.destroy();
      throw noSuchImage(what, kind, request, []);
    },
    load: async signal => apiLoad(client, paths.load, `load images into ${what}`, signal),
  };
}
