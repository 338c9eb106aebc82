import { expect, onTestFinished, test } from "vitest";
import { getManifest } from "../../../../src/registry/api/get-manifest.ts";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";

test("a manifest above 4 MiB is refused with what to do about the image: the registry is not at fault", async () => {
  const body = Buffer.alloc(4 * 1024 * 1024 + 1, " ");
  const registry = await ScriptedRegistry.start({ faults: [{ on: /manifests\/1/, reply: { status: 200, body } }] });
  const client = await connectRegistry(registry.host, { env: {}, home: "/nonexistent", attempts: 1 });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  await expect(getManifest(new Repository(client, "app"), "1")).rejects.toMatchObject({
    message: `Cannot accept manifest 1 from ${registry.host}/app: found more than 4194304 bytes, expected at most 4194304`,
    hint: "Registries take manifests up to 4.0 MiB, and imgpack reads no larger ones: build the image with fewer layers, or shorter annotations.",
    code: "ERR_REGISTRY",
  });
});
