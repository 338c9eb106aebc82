// @ts-check
// Makes fixtures/signed/ again: an image that cosign and notation have signed with keys made here, which are thrown away.
//   IMGPACK_TOOL_PREFIX   a command in front of the tools, such as "chroot /srv/newer"
//   IMGPACK_TOOL_SHARE    a folder both sides see: own path, "=", path behind the prefix
import { generateKeyPairSync } from "node:crypto";
import { copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { emptyDir, remove } from "fs-extra/esm";
import { run, startOwnRegistry } from "./fixtures/processes.mjs";

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));
const [share, inside] = (process.env["IMGPACK_TOOL_SHARE"] ?? "=").split("=");
const prefix = (process.env["IMGPACK_TOOL_PREFIX"] ?? "").split(" ").filter(Boolean);
const work = await mkdtemp(join(share || tmpdir(), "imgpack-signed-"));
const there = inside ? work.replace(share ?? "", inside) : work;
const registry = await startOwnRegistry();

/** @param {string[]} command */
async function tool(...command) {
  const variables = ["COSIGN_PASSWORD=x", `XDG_CONFIG_HOME=${there}`, `HOME=${there}`, `DOCKER_CONFIG=${there}`];
  const [first = "", ...rest] = [...prefix, "env", "--chdir", there, ...variables, ...command];
  return await run(first, rest);
}

const KEYS = {
  ecdsa: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ed25519: generateKeyPairSync("ed25519"),
  rsa: generateKeyPairSync("rsa", { modulusLength: 3072 }),
};

try {
  const target = join(fixtures, "signed");
  await emptyDir(target);
  const image = `${registry.host}/signed:1.0`;
  const flags = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"];
  await run("skopeo", [...flags, `oci-archive:${join(fixtures, "multi-platform-oci.tar")}`, `docker://${image}`]);
  const digest = (await tool("oras", "resolve", "--plain-http", image)).trim();
  const pinned = `${registry.host}/signed@${digest}`;
  const cosign = ["--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry", "--yes"];
  for (const [name, { privateKey, publicKey }] of Object.entries(KEYS)) {
    await writeFile(join(work, `${name}.pem`), privateKey.export({ type: "pkcs8", format: "pem" }));
    await tool("cosign", "import-key-pair", "--key", `${name}.pem`, "--output-key-prefix", name);
    await writeFile(join(target, `${name}.pub`), publicKey.export({ type: "spki", format: "pem" }));
    const key = ["--key", `${name}.key`];
    await tool("cosign", "sign", ...key, ...cosign, "--new-bundle-format=false", "--recursive", pinned);
  }
  const key = ["--key", "ecdsa.key"];
  await tool("cosign", "sign", ...key, ...cosign, "--new-bundle-format=true", pinned);
  await writeFile(join(work, "sbom.json"), '{"spdxVersion":"SPDX-2.3","name":"hello"}\n');
  const spdx = ["--type", "spdxjson", "--predicate", "sbom.json"];
  await tool("cosign", "attest", ...key, ...cosign, "--new-bundle-format=false", ...spdx, pinned);
  await tool(
    "oras",
    "attach",
    "--plain-http",
    "--artifact-type",
    "application/spdx+json",
    pinned,
    "sbom.json:text/plain",
  );
  await tool("notation", "cert", "generate-test", "--default", "imgpack-fixture");
  await tool("notation", "sign", "--insecure-registry", pinned);
  await tool(
    "oras",
    "backup",
    "--plain-http",
    "--include-referrers",
    `${registry.host}/signed`,
    "--output",
    "signed.tar",
  );
  await copyFile(join(work, "signed.tar"), join(target, "signed.tar"));
  const versions = [
    (await tool("cosign", "version")).match(/GitVersion:\s*(.*)/)?.[1],
    (await tool("notation", "version")).match(/Version:\s*(.*)/)?.[1],
    (await tool("oras", "version")).match(/Version:\s*(.*)/)?.[1],
  ];
  await writeFile(
    join(target, "README.md"),
    `# An image that real tools signed

\`scripts/make-signed-fixtures.mjs\` makes this folder. \`signed.tar\` is a repository as \`oras backup --include-referrers\`
saves it: the image of \`multi-platform-oci.tar\`, with cosign's \`.sig\` tags of the index and of both platforms (each with
three signatures, by the keys whose public halves are here), an \`.att\` tag with an SBOM in an attestation (by ecdsa),
a sigstore bundle (by ecdsa), an SBOM by oras, and a signature by notation.

cosign ${versions[0]}, notation ${versions[1]}, oras ${versions[2]}. Index: \`${digest}\`
`,
  );
} finally {
  await registry.close();
  await remove(work);
}
