import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

export interface PrivateCa {
  /** Files in PEM. */
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** `clientKey` under `passphrase`. */
  readonly lockedKey: string;
  readonly passphrase: string;
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const PASSPHRASE = "open-sesame";

/**
 * An authority of its own, with a certificate for a server, and one for a client (openssl).
 * @param names of the server, in addition to 127.0.0.1 and localhost
 */
export async function makePrivateCa(folder: string, names: readonly string[] = ["registry.test"]): Promise<PrivateCa> {
  const file = (name: string): string => join(folder, name);
  await openssl([
    "req",
    "-x509",
    ...CURVE,
    "-days",
    "2",
    "-subj",
    "/CN=peers ca",
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.crt"),
  ]);
  const make = async (name: string, extensions: string): Promise<void> => {
    await openssl([
      "req",
      ...CURVE,
      "-subj",
      `/CN=${name}`,
      "-keyout",
      file(`${name}.key`),
      "-out",
      file(`${name}.csr`),
    ]);
    await writeFile(file(`${name}.ext`), extensions);
    const signer = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"];
    const extra = ["-extfile", file(`${name}.ext`), "-days", "2"];
    await openssl(["x509", "-req", "-in", file(`${name}.csr`), ...signer, ...extra, "-out", file(`${name}.crt`)]);
  };
  const alternatives = ["IP:127.0.0.1", ...["localhost", ...names].map(name => `DNS:${name}`)];
  await make("server", `subjectAltName=${alternatives.join(",")}\nextendedKeyUsage=serverAuth\n`);
  await make("client", "extendedKeyUsage=clientAuth\n");
  const locked = ["-in", file("client.key"), "-out", file("locked.key"), "-passout", `pass:${PASSPHRASE}`];
  await openssl(["pkcs8", "-topk8", "-v2", "aes-256-cbc", ...locked]);
  return {
    ca: file("ca.crt"),
    serverCert: file("server.crt"),
    serverKey: file("server.key"),
    clientCert: file("client.crt"),
    clientKey: file("client.key"),
    lockedKey: file("locked.key"),
    passphrase: PASSPHRASE,
  };
}

async function openssl(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run("openssl", args);
  if (code !== 0) throw new Error(`openssl ${args[0]}: exit code ${code}\n${stderr}`);
}
