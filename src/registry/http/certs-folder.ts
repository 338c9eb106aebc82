import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { readRegularFile } from "../../util/input-file.ts";
import { readdir, stat } from "../../util/read-disk.ts";
import type { ClientCertificate } from "./tls-options.ts";

export interface CertsFolderOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  /** Prefix of the absolute folders below /etc, for tests. */
  readonly root?: string | undefined;
}

export interface FolderCertificates {
  readonly folder: string;
  readonly ca?: string;
  readonly clientCertificates: readonly ClientCertificate[];
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The certificates of a registry in `certs.d` of docker and of the containers tools: `*.crt` are authorities, `NAME.cert`
 * and `NAME.key` identify this machine. Only the first existing folder counts (containers-certs.d(5)).
 *
 * @param registry `host` or `host:port`, exactly as in references: the folder's name includes the port if there is one.
 * @throws UsageError for half of a pair or an unreadable file.
 */
export async function readCertsFolder(
  registry: string,
  options: CertsFolderOptions = {},
): Promise<FolderCertificates | undefined> {
  for (const base of certsFolders(options)) {
    const folder = join(base, registry);
    if (await isFolder(folder)) return await readFolder(folder);
  }
  return undefined;
}

function certsFolders({ env = process.env, home = homedir(), root = "/" }: CertsFolderOptions): readonly string[] {
  return [
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers", "certs.d"),
    join(root, "etc", "containers", "certs.d"),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "certs.d"),
    join(root, "etc", "docker", "certs.d"),
  ];
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function readFolder(folder: string): Promise<FolderCertificates> {
  const names = (await readNames(folder)).toSorted();
  const authorities: string[] = [];
  const clientCertificates: ClientCertificate[] = [];
  for (const name of names) {
    if (name.endsWith(".crt")) authorities.push(await readPem(folder, name));
    if (name.endsWith(".cert")) {
      const keyName = `${name.slice(0, -".cert".length)}.key`;
      if (!names.includes(keyName)) throw halfPair(folder, name, keyName);
      clientCertificates.push({ cert: await readPem(folder, name), key: await readPem(folder, keyName) });
    }
    if (name.endsWith(".key")) {
      const certName = `${name.slice(0, -".key".length)}.cert`;
      if (!names.includes(certName)) throw halfPair(folder, name, certName);
    }
  }
  return { folder, clientCertificates, ...(authorities.length === 0 ? {} : { ca: authorities.join("\n") }) };
}

async function readNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new UsageError(`Cannot read certificates from ${quote(folder)}: unreadable, expected a readable folder`, {
      cause,
    });
  }
}

async function readPem(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  const refused = (found: string, cause?: unknown): UsageError =>
    new UsageError(`Cannot read certificates from ${quote(path)}: ${found}, expected a PEM file`, { cause });
  const found = await readRegularFile(path, MAX_FILE_BYTES).catch(cause => {
    throw refused("unreadable", cause);
  });
  if (found === "no regular file") throw refused("not a regular file");
  if (found === "too large") throw refused("more than 4 MiB");
  const text = found.toString("utf8");
  if (!text.includes("-----BEGIN ")) throw refused("no PEM block");
  return text;
}

function halfPair(folder: string, found: string, missing: string): UsageError {
  return new UsageError(
    `Cannot read certificates from ${quote(folder)}: ${quote(found)} without ${quote(missing)}, expected both`,
    {
      hint: "Certificates of authorities end in .crt, those of this machine in .cert, next to a .key of the same name.",
    },
  );
}
