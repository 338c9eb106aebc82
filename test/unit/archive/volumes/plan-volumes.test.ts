import { expect, test } from "vitest";
import { planVolumes } from "../../../../src/archive/volumes/plan-volumes.ts";
import type { CopyPlan } from "../../../../src/content/contracts.ts";
import { gather } from "../../../../src/copy/gather.ts";
import type { Descriptor } from "../../../../src/oci/descriptor.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { countVisits } from "../../../support/count-visits.ts";
import { memorySource, settledRoot } from "../../../support/memory-image.ts";

const PLATFORM = { os: "linux", architecture: "amd64" };
const LAYER_BYTES = 4000;

/** Images of a layer of their own, and one that each five share. */
async function planOf(images: number): Promise<CopyPlan> {
  const source = memorySource();
  const layer = (name: string, size: number): Descriptor => {
    return { mediaType: OCI_LAYER_GZIP, digest: digestOf(Buffer.from(name)), size };
  };
  const roots = Array.from({ length: images }, (_, image) => {
    const config = source.add(OCI_CONFIG, { ...PLATFORM, image });
    const layers = [
      layer(`base ${Math.floor(image / 5)}`, 2 * LAYER_BYTES),
      layer(`own ${image}`, LAYER_BYTES + image),
    ];
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
    return settledRoot(source.add(OCI_MANIFEST, manifest), `registry.lan/team/app-${image}:1.0`);
  });
  return await gather(source, roots);
}

const planned = async (plan: CopyPlan, volumeBytes: number, signal?: AbortSignal) =>
  await planVolumes(plan, { platform: PLATFORM, volumeBytes }, signal);

test("twice as many images are twice the work to spread over volumes of one size, not four times", async () => {
  const works: number[] = [];
  for (const images of [100, 200]) {
    const plan = await planOf(images);
    works.push(await countVisits(async () => await planned(plan, 150_000)));
  }
  const [few = 0, more = 0] = works;
  expect(more).toBeLessThan(2.7 * few);
});

test.each([1000, 5000, 10_000])(
  "volumes of %d bytes are refused with the smallest that works, after few tries",
  async volumeBytes => {
    for (const images of [10, 20]) {
      const plan = await planOf(images);
      let message = "";
      const work = await countVisits(async () => {
        message = await planned(plan, volumeBytes).then(
          () => "",
          (error: Error) => error.message,
        );
      });
      // 23,600 and 16,300 now. A try of each half of what is left, with a look at all blobs for each volume, took 220,000.
      expect(work / images).toBeLessThan(35_000);
      const least = Number(/expected at least .*\((\d+) bytes\)/.exec(message)?.[1]);
      expect((await planned(plan, least)).volumes.every(({ bytes }) => bytes <= least)).toBe(true);
      await expect(planned(plan, least - 512)).rejects.toThrow("found a size that is too small");
    }
  },
);

test("a signal ends the search for the smallest size between two of its steps", async () => {
  const plan = await planOf(20);
  const stop = new AbortController();
  const failed = planned(plan, 1000, stop.signal);
  setImmediate(() => stop.abort(new Error("stopped")));
  await expect(failed).rejects.toThrow("stopped");
});
