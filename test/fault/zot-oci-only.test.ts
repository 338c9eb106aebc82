import { expect, test } from "vitest";
import { push } from "../../src/index.ts";
import { dockerArchive, fileWith } from "../support/images.ts";
import { ScriptedRegistry, type SeenRequest } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

const OCI = "application/vnd.oci.image.manifest.v1+json";
const isDocker = ({ headers }: SeenRequest): boolean => headers["content-type"]?.includes("docker") === true;

test("push() gives images of docker archives OCI manifests where no others are taken, and says so", async () => {
  const refusal = { on: /^PUT .*\/manifests\//, when: isDocker, times: 9, reply: { status: 415 } };
  const registry = await ScriptedRegistry.start({ faults: [refusal] });
  const layer = tarArchive([tarEntry({ name: "hello", body: "hello\n" })]);
  const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [layer] }));
  const notes: string[] = [];
  const { images } = await push([archive], {
    registry: registry.host,
    onProgress: event => void (event.kind === "note" && notes.push(event.message)),
  });
  const stored = registry.content.manifests.get("app:1");
  expect(stored?.type).toBe(OCI);
  expect(registry.content.manifests.has(images[0]?.digest ?? "")).toBe(true);
  expect(notes.join("\n")).toContain("does not accept Docker manifests");
  expect(registry.seen(/^PUT .*\/uploads\//)).toHaveLength(2);
});
