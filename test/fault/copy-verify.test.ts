// A registry that has lost blobs, and still has the tags.
import { expect, test } from "vitest";
import { copyTo } from "../../src/index.ts";
import { ownEnvironment } from "../support/command-line.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putSharingImages, sentBlobs, tagsOf } from "./shards-support.ts";

ownEnvironment();

test("copy --verify sends what the registry has lost of images whose tags are there, and nothing else", async () => {
  const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
  const sources = putSharingImages(from.content, 3).map(name => `${from.host}/${name}`);
  await copyTo(sources, to.host);
  const whole = tagsOf(to.content);
  const [lost = ""] = sentBlobs(to).map(({ digest }) => digest);
  to.content.blobs.delete(lost);
  const sent = sentBlobs(to).length;
  expect((await copyTo(sources, to.host)).bytesSent).toBe(0);
  expect(tagsOf(to.content)).not.toEqual(whole);
  const { images, blobs } = await copyTo(sources, to.host, { verify: true });
  expect(images).toHaveLength(3);
  expect(blobs.uploaded).toBe(1);
  expect(sentBlobs(to).slice(sent)).toEqual([expect.objectContaining({ digest: lost })]);
  expect(tagsOf(to.content)).toEqual(whole);
  expect((await copyTo(sources, to.host, { verify: true })).bytesSent).toBe(0);
});
