import { createHash } from "node:crypto";
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { boolean, checkSchema, fields, nullish, type Schema, string } from "../../util/json/schema.ts";
import type { EndpointTls } from "./endpoint.ts";
import { readSmall, readTlsFolder } from "./tls-folder.ts";

export interface DockerContext {
  readonly host: string;
  /** For messages. */
  readonly origin: string;
  readonly tls: EndpointTls | undefined;
}

const MAX_BYTES = 1024 * 1024;
const CONFIG = fields({ currentContext: nullish(string()) });
const META = fields({
  Endpoints: nullish(
    fields({ docker: nullish(fields({ Host: nullish(string()), SkipTLSVerify: nullish(boolean()) })) }),
  ),
});

/**
 * The docker context that is in use, as `docker context` stores it.
 *
 * @param folder of docker's configuration. @param chosen $DOCKER_CONTEXT.
 * @returns undefined for the default one.
 * @throws UsageError for one that does not exist, or that is no endpoint; StorageError.
 */
export async function readDockerContext(
  folder: string,
  chosen: string | undefined,
): Promise<DockerContext | undefined> {
  const name = chosen || (await currentContext(join(folder, "config.json")));
  if (name === undefined || name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const origin = `docker context ${quote(name)}`;
  const path = join(folder, "contexts", "meta", id, "meta.json");
  const meta = await readDocument(path, META);
  const endpoint = meta?.Endpoints?.docker;
  const host = endpoint?.Host;
  if (!host) {
    throw new UsageError(
      `Cannot use ${origin}: ${meta === undefined ? "no such context" : "it has no address"}, expected one that docker knows`,
      {
        hint: 'See them with "docker context ls", or set DOCKER_HOST.',
      },
    );
  }
  const files = await readTlsFolder(join(folder, "contexts", "tls", id, "docker"));
  const isSecure = host.startsWith("tcp://") && (files.ca ?? files.cert ?? files.key) !== undefined;
  const tls = isSecure ? { ...files, rejectUnauthorized: endpoint?.SkipTLSVerify !== true } : undefined;
  return { host, origin, tls };
}

async function currentContext(path: string): Promise<string | undefined> {
  return (await readDocument(path, CONFIG))?.currentContext || undefined;
}

async function readDocument<T>(path: string, schema: Schema<T>): Promise<T | undefined> {
  const bytes = await readSmall(path, MAX_BYTES);
  if (bytes === undefined) return undefined;
  const fail = (_: string, message: string): Error =>
    new UsageError(message, { hint: "Repair the file, or set DOCKER_HOST." });
  const where = quote(path);
  return checkSchema(
    schema,
    parseJson(bytes, { what: "document", where, maxBytes: MAX_BYTES, fail }),
    "document",
    where,
    fail,
  );
}
