import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { latest } from "../../../../src/verbs/query/latest.ts";
import { putImage, startListed } from "./listed-registry.ts";

describe("latest()", () => {
  test("latest() prints the highest version with its digest, not the newest push", async () => {
    const registry = await startListed(["1.9.0", "1.10.0", "latest", "2.0.0-rc.1", "nightly"]);
    const newest = putImage(registry.content, ["app:1.10.0"]);
    const candidate = putImage(registry.content, ["app:2.0.0-rc.1"]);
    expect(await latest(`${registry.host}/app`)).toEqual({
      reference: `${registry.host}/app:1.10.0@${newest.digest}`,
      repository: `${registry.host}/app`,
      tag: "1.10.0",
      digest: newest.digest,
    });
    expect(await latest(`${registry.host}/app`, { prerelease: true })).toMatchObject({
      tag: "2.0.0-rc.1",
      digest: candidate.digest,
    });
  });

  test("latest() goes to the next version, with a note, where the image of a listed tag is gone", async () => {
    const registry = await startListed(["1.9.0", "1.10.0", "2.0.0"]);
    const newest = putImage(registry.content, ["app:1.9.0"]);
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent): void => void events.push(event);
    const found = await latest(`${registry.host}/app`, { onProgress });
    expect(found).toMatchObject({ tag: "1.9.0", digest: newest.digest });
    expect(events).toMatchObject([
      { kind: "step", step: "names", done: 3 },
      ...["2.0.0", "1.10.0"].map(tag => ({
        kind: "note",
        message: expect.stringContaining(`${tag} is listed, but its`),
      })),
    ]);
    const gone = await startListed(["1.0.0"]);
    await expect(latest(`${gone.host}/app`)).rejects.toMatchObject({ exitCode: 5 });
  });

  test("latest() by created takes the image built last, and names it by its version", async () => {
    const registry = await startListed(["main", "1.0", "0.9", "abc123"]);
    putImage(registry.content, ["app:abc123", "app:0.9"], { created: "2023-01-01T00:00:00Z" });
    const newest = putImage(registry.content, ["app:main", "app:1.0"], { created: "2024-01-01T00:00:00Z" });
    expect(await latest(`${registry.host}/app`, { by: "created" })).toEqual({
      reference: `${registry.host}/app:1.0@${newest.digest}`,
      repository: `${registry.host}/app`,
      tag: "1.0",
      digest: newest.digest,
      created: "2024-01-01T00:00:00Z",
    });
  });

  test("latest() says how to go on where no tag is a release", async () => {
    const early = await startListed(["latest", "1.0.0-beta"]);
    await expect(latest(`${early.host}/app`)).rejects.toMatchObject({
      exitCode: 5,
      hint: "There are pre-releases: take them with --prerelease.",
    });
    const plain = await startListed(["latest", "main"]);
    await expect(latest(`${plain.host}/app`)).rejects.toMatchObject({
      exitCode: 5,
      hint: "Choose by the date of the images with --by created.",
    });
    putImage(plain.content, ["app:latest", "app:main"]);
    await expect(latest(`${plain.host}/app`, { by: "created" })).rejects.toMatchObject({ exitCode: 5 });
    await expect(latest(`${plain.host}/app`, { by: "size" as "created" })).rejects.toMatchObject({ exitCode: 2 });
  });
});
