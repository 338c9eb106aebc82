import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Diagnosis, doctor } from "../../src/index.ts";
import { createAll, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { startDockerd } from "./peers/dockerd.ts";
import { fixture, type GoldenArchive, type GoldenImage, goldens, sample } from "./peers/goldens.ts";
import { type ImageApi, loadAlone } from "./peers/image-api.ts";
import { createImgpack } from "./peers/imgpack.ts";
import { startPodmanService } from "./peers/podman.ts";
import { RecordedLoader } from "./peers/recorded-loader.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const OWN = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;

/** For each image one config must come out: that of this machine's platform where there is a choice. */
function wantedIds({ images }: GoldenArchive): readonly (readonly string[])[] {
  const groups = new Map<string, GoldenImage[]>();
  for (const image of images) {
    const key = image.names.join() || (image.manifestDigest === undefined ? image.imageId : "");
    groups.set(key, [...(groups.get(key) ?? []), image]);
  }
  return [...groups.values()].map(group => {
    const own = group.filter(({ platform }) => platform === OWN);
    return (own.length > 0 ? own : group).map(({ imageId }) => imageId);
  });
}

interface Loader {
  /** As the doctor names it. */
  readonly name: RegExp;
  /** True when every image is there and a container of it can be made. */
  loads(archive: string, golden: GoldenArchive): Promise<boolean>;
  close(): Promise<void>;
}

function holdsAll(listed: string, golden: GoldenArchive): boolean {
  return golden.images.length > 0 && wantedIds(golden).every(ids => ids.some(id => listed.includes(id)));
}

/** docker, or podman's service. */
async function daemonLoader(
  name: RegExp,
  program: "docker" | "podman",
  start: () => Promise<{ readonly images: ImageApi; close(): Promise<void> }>,
): Promise<Loader> {
  const loader = await RecordedLoader.create(program, start);
  return {
    name,
    async loads(archive, golden) {
      const { complaint, ids } = await loader.answer(archive, ["load"], peer => loadAlone(peer, archive));
      return complaint === undefined && holdsAll(ids.join(" "), golden);
    },
    close: () => loader.close(),
  };
}

async function ctrLoader(): Promise<Loader> {
  const loader = await RecordedLoader.create("containerd", startContainerd);
  return {
    name: /^containerd 1/,
    async loads(archive, golden) {
      const { all, made } = await loader.answer(archive, ["import", "create"], daemon => createAll(daemon, archive));
      return golden.images.length > 0 && all >= wantedIds(golden).length && made === all;
    },
    close: () => loader.close(),
  };
}

/** Only another host, or a name, would help. */
const BEYOND_REPAIR = /no image in it|has no name|machine's platform/;

let temp: TempFolder;
beforeAll(async () => {
  temp = await createTempFolder();
});
afterAll(() => temp?.remove());

/** What the doctor says of a fixture, and of the file that it makes of one that some loader refuses. */
interface Treated {
  readonly diagnosis: Diagnosis;
  readonly clean?: { readonly path: string; readonly diagnosis: Diagnosis };
}

async function treat(file: string, { images }: GoldenArchive): Promise<Treated> {
  const diagnosis = await doctor(fixture(file), { quick: true });
  if (diagnosis.loaders.every(({ loads }) => loads) || images.length === 0) return { diagnosis };
  const path = join(temp.path, `${file.replace("/", "-")}.clean.tar`);
  await doctor(fixture(file), { repair: path, layers: "gzip" });
  return { diagnosis, clean: { path, diagnosis: await doctor(path) } };
}

/** Once for all loaders. */
const treated = new Map<string, Promise<Treated>>();

function treatedOnce(file: string, golden: GoldenArchive): Promise<Treated> {
  const known = treated.get(file) ?? treat(file, golden);
  treated.set(file, known);
  return known;
}

describe("imgpack doctor", () => {
  test.each(sample)("imgpack doctor --json prints what doctor() finds in %s, and repairs it alike", async file => {
    const imgpack = await createImgpack();
    try {
      const [quick, repair] = [["--quick"], ["--layers", "gzip", "--repair"]];
      const told = async (...flags: readonly string[]): Promise<Diagnosis> =>
        JSON.parse((await imgpack.run(["doctor", fixture(file), "--json", ...flags])).stdout);
      expect(await told(...quick)).toEqual(JSON.parse(JSON.stringify(await doctor(fixture(file), { quick: true }))));
      const [one, two] = [join(imgpack.folder, "one.tar"), join(imgpack.folder, "two.tar")];
      await told(...repair, one);
      await doctor(fixture(file), { repair: two, layers: "gzip" });
      expect((await readFile(one)).equals(await readFile(two))).toBe(true);
    } finally {
      await imgpack.close();
    }
  });
});

for (const [name, probe, start] of [
  ["docker", probeDockerd, async () => await daemonLoader(/^docker 20/, "docker", startDockerd)],
  ["podman", probePodman, async () => await daemonLoader(/^podman 4/, "podman", startPodmanService)],
  ["ctr", probeContainerd, ctrLoader],
] as const) {
  describeWith([await probe()], `imgpack doctor and ${name}`, () => {
    let loader: Loader;
    beforeAll(async () => {
      loader = await start();
    });
    afterAll(() => loader?.close());

    function verdict({ loaders }: Diagnosis): Diagnosis["loaders"][number] | undefined {
      return loaders.find(({ loader: known }) => loader.name.test(known));
    }

    for (const [file, golden] of Object.entries(goldens)) {
      test(`${name} does with ${file}, and with what the doctor makes of it, what the doctor says`, async () => {
        const { diagnosis, clean } = await treatedOnce(file, golden);
        expect(verdict(diagnosis)).toMatchObject({ loads: await loader.loads(fixture(file), golden) });
        if (clean === undefined) return;
        const cured = verdict(clean.diagnosis);
        expect(cured).toMatchObject({ loads: await loader.loads(clean.path, golden) });
        expect(cured?.why.filter(why => !BEYOND_REPAIR.test(why))).toEqual([]);
      });
    }
  });
}
