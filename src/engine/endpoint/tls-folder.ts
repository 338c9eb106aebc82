import { join } from "node:path";
import { StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { readRegularFile } from "../../util/input-file.ts";
import { SystemFault } from "../../util/system-fault.ts";
import type { EndpointTls } from "./endpoint.ts";

const MAX_PEM_BYTES = 1024 * 1024;

/** Reads `ca.pem`, `cert.pem` and `key.pem`, each of which may be absent. @throws StorageError */
export async function readTlsFolder(folder: string): Promise<Pick<EndpointTls, "ca" | "cert" | "key">> {
  const [ca, cert, key] = await Promise.all(["ca.pem", "cert.pem", "key.pem"].map(name => readPem(join(folder, name))));
  return { ca, cert, key };
}

async function readPem(path: string): Promise<Buffer | undefined> {
  return await readSmall(path, MAX_PEM_BYTES);
}

/** @returns undefined for a file that does not exist. @throws StorageError for anything else that is no small file. */
export async function readSmall(path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const bytes = await readRegularFile(path, maxBytes);
    if (typeof bytes !== "string") return bytes;
    throw new StorageError(`Cannot read ${quote(path)}: ${bytes}, expected a file of at most ${maxBytes} bytes`);
  } catch (error) {
    if (error instanceof SystemFault && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return undefined;
    throw error;
  }
}
