// An image that cannot be pushed does not take the others of its repository along, and the error names it alone.
import { join } from "node:path";
import { expect, test } from "vitest";
import { PartialError, pull, push } from "../../src/index.ts";
import { storeImage, temporaryFolder } from "../support/images.ts";
import { putIndex, putReferrer } from "../support/referrer-manifests.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** One platform of two of the indexes signed and plain, and of one that is pinned; and an image that is no index. */
async function archived(): Promise<{ readonly archive: string; readonly pinned: string }> {
  const { content, host } = await ScriptedRegistry.start();
  content.hasReferrers = true;
  const entry = (architecture: string, text: string): object => {
    const { digest } = storeImage(content, [Buffer.from(architecture + text)]);
    const size = content.manifests.get(digest)?.bytes.length;
    return { mediaType: MANIFEST, digest, size, platform: { os: "linux", architecture } };
  };
  const indexOf = (name: string): string =>
    putIndex(content, `app:${name}`, [entry("amd64", name), entry("arm64", name)]);
  const signed = indexOf("signed");
  indexOf("plain");
  const pinned = indexOf("pinned");
  // Its tag is "1".
  storeImage(content, [Buffer.from("single")]);
  putReferrer(content, "app", { subject: signed, artifactType: "application/vnd.cncf.notary.signature" });
  const archive = join(await temporaryFolder(), "out.tar");
  const names = [":1", ":signed", ":plain", `@${pinned}`].map(name => `${host}/app${name}`);
  await pull(names, { output: archive, platform: "linux/amd64" });
  return { archive, pinned };
}

async function partial(
  archive: string,
  options: Parameters<typeof push>[1],
  faults: readonly Fault[] = [],
): Promise<PartialError> {
  const registry = await ScriptedRegistry.start({ faults });
  const error = await push([archive], { ...options, to: registry.host }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof PartialError)) throw error ?? new Error("It did not fail.");
  const message = error.message.replaceAll(registry.host, "HOST");
  const { images } = error.result as { readonly images: readonly { readonly reference: string }[] };
  const references = images.map(({ reference }) => reference.replace(registry.host, "HOST"));
  return Object.assign(error, { message, references: references.sort() });
}

test("push() without --sparse pushes what it may prune, and names the signed and the pinned image, with what helps", async () => {
  const { archive, pinned } = await archived();
  const error = await partial(archive, {});
  expect(error).toMatchObject({ exitCode: 10, references: ["HOST/app:1", "HOST/app:plain"] });
  expect(error.message).toMatch(/^Cannot push 2 of 4 images of archive /);
  expect(error.message).toMatch(/Cannot push HOST\/app:signed: its index sha256:/);
  expect(error.message).toContain(`Cannot push HOST/app@${pinned}: its index ${pinned}`);
  expect(error.hint).toMatch(/^The others are pushed\. .*--sparse keep/);
});

test('push({ sparse: "keep" }) to a registry that takes no sparse index says what helps', async () => {
  const { archive, pinned } = await archived();
  const body = { errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown to registry" }] };
  const refuse: Fault = {
    on: /^PUT .*\/manifests\//,
    when: ({ headers }) => headers["content-type"] === INDEX,
    times: 99,
    reply: { status: 400, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(body)) },
  };
  const error = await partial(archive, { sparse: "keep" }, [refuse]);
  expect(error).toMatchObject({ references: ["HOST/app:1"] });
  for (const image of [":signed", ":plain", `@${pinned}`]) {
    const found = "the archive lacks linux/arm64 of its index, and the registry refuses such an index";
    expect(error.message).toContain(`Cannot push HOST/app${image}: ${found} (status 400 MANIFEST_BLOB_UNKNOWN)`);
  }
  expect(error.hint).toMatch(/--platform all.*--sparse prune.*validation\.manifests\.indexes\.platforms/);
});
