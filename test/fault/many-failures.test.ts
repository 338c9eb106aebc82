// What fails for one image of many in the same way for all of them costs its retries once, not once for each image.
import { beforeEach, describe, expect, test } from "vitest";
import { copyTo, type PartialError } from "../../src/index.ts";
import { seededBytes, storeImage } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

const IMAGES = 40;
const SHARED: Buffer = seededBytes("shared", 5000);
const retry = { count: 2 };
const ATTEMPTS = 3;

beforeEach(() => {
  waits.length = 0;
});

/** A registry with images that share a layer, and their references in repositories of their own, or in one. */
async function sourceOf(areApart: boolean): Promise<{ source: ScriptedRegistry; references: readonly string[] }> {
  const source = await ScriptedRegistry.start();
  const references = Array.from({ length: IMAGES }, (_, index) => {
    const name = areApart ? `app${index}:1` : `app:v${index}`;
    const { digest } = storeImage(source.content, [SHARED, seededBytes(name, 300)]);
    const manifest = source.content.manifests.get(digest);
    if (manifest !== undefined) source.content.manifests.set(name, manifest);
    return `${source.host}/${name}`;
  });
  return { source, references };
}

async function failedCopy(
  references: readonly string[],
  target: ScriptedRegistry,
  more: Parameters<typeof copyTo>[2] = {},
): Promise<PartialError> {
  const failing = copyTo(references, `${target.host}/mirror`, { registry: { retry }, ...more });
  return await failing.then(
    () => expect.fail("nothing failed"),
    (error: PartialError) => error,
  );
}

/** Only bodies of this blob. */
const ofShared: NonNullable<Fault["when"]> = ({ path }) => path.includes(encodeURIComponent(sha256(SHARED)));

describe("a blob that a registry refuses", () => {
  test.each([
    ["one repository", false, 1],
    ["repositories of their own", true, 2],
  ])("is sent by at most two of the images that need it, in %s", async (_what, areApart, senders) => {
    const { references } = await sourceOf(areApart);
    const target = await ScriptedRegistry.start();
    target.addFault({ on: /^(PUT|POST) .*uploads\//, when: ofShared, times: 1e6, reply: { status: 500 } });
    const error = await failedCopy(references, target);
    expect(error.failed).toEqual(references);
    expect(error.exitCode).toBe(8);
    const sent = target.seen(/^(PUT|POST) .*uploads\//).filter(request => ofShared(request));
    expect(sent).toHaveLength(senders * ATTEMPTS);
  });

  test("does not harm the image for which the source had failed: the next source is asked", async () => {
    const { source, references } = await sourceOf(true);
    const target = await ScriptedRegistry.start();
    source.addFault({
      on: /^GET .*\/blobs\//,
      when: ({ path }) => path.endsWith(sha256(SHARED)),
      reply: { status: 404 },
    });
    const error = await failedCopy(references, target);
    expect(error.failed).toHaveLength(1);
    expect(target.content.blobs.has(sha256(SHARED))).toBe(true);
  });
});

describe("a registry that takes nothing any more", () => {
  test.each([
    ["limits all requests (429)", 429, 20],
    // A host that is away is asked for ten minutes.
    ["is away (503)", 503, 60],
  ])("%s ends the run: each image fails, few requests are sent", async (_what, status, most) => {
    const { references } = await sourceOf(false);
    const target = await ScriptedRegistry.start();
    let isAway = false;
    let before = 0;
    target.addFault({ on: /./, when: () => isAway, times: 1e6, reply: { status } });
    target.addFault({
      on: /^PUT .*\/manifests\//,
      onRequest: () => {
        isAway = true;
        before = target.requests.length;
      },
    });
    const error = await failedCopy(references, target, { concurrency: 2 });
    expect(error.failed.length).toBeGreaterThan(IMAGES - 6);
    // Those under way use up their retries.
    expect(target.requests.length - before).toBeLessThan(most);
  });

  test("one that has never answered anything else is asked once more, and given up without waiting", async () => {
    const { references } = await sourceOf(false);
    const target = await ScriptedRegistry.start({ faults: [{ on: /./, times: 1e6, reply: { status: 503 } }] });
    const error = await failedCopy(references, target, { concurrency: 2 });
    expect(error.failed).toEqual(references);
    expect(target.requests.length).toBeLessThan(12);
  });

  test("one whose limit ends in time loses no image", async () => {
    const { references } = await sourceOf(false);
    const target = await ScriptedRegistry.start({ faults: [{ on: /./, times: 2, reply: { status: 429 } }] });
    const options = { registry: { retry }, concurrency: 2 };
    expect((await copyTo(references, `${target.host}/mirror`, options)).images).toHaveLength(IMAGES);
  });
});
