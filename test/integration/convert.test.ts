import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveFormat, type ConvertOptions, convert, inspect, verify } from "../../src/index.ts";
import { dialects } from "./matrix/dialects.ts";
import { type Containerd, createAll, startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { startDockerRegistry } from "./peers/docker-registry.ts";
import { type Dockerd, startDockerd } from "./peers/dockerd.ts";
import { fixture, golden, greeting } from "./peers/goldens.ts";
import { loadAlone } from "./peers/image-api.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { type PodmanService, startPodmanService } from "./peers/podman.ts";
import { RecordedLoader } from "./peers/recorded-loader.ts";
import { findTool, type RunResult, run } from "./peers/run.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

/** The first tar of each dialect that has images; the matrix converts every archive without loading the result. */
const files = dialects.flatMap(({ fixtures = [] }) => fixtures.filter(hasImages).slice(0, 1));
/** For podman and containerd, and for the command itself; all others go through the library. */
const sample = [
  "docker20-shared.tar",
  "docker28-classic-hello.tar",
  "docker28-containerd-hello.tar",
  "podman43-oci.tar",
  "skopeo19-docker.tar",
  "crane020-hello.tar",
];

const own = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;

function successful({ code, stdout, stderr }: RunResult): string {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return stdout;
}

function hasImages(file: string): boolean {
  return file.endsWith(".tar") && golden(file).images.length > 0;
}

function imageIds(file: string): readonly string[] {
  return [...new Set(golden(file).images.map(({ imageId }) => imageId))].sort();
}

/** Converts a fixture into the folder of this command and gives the path. */
async function converted(imgpack: Imgpack, file: string, name: string, ...flags: readonly string[]): Promise<string> {
  const path = `${imgpack.folder}/${name}`;
  await rm(path, { recursive: true, force: true });
  successful(await imgpack.run(["convert", fixture(file), path, ...flags]));
  return path;
}

/** The same by the library: the command takes longer to start than to convert. */
async function convertedTo(
  format: ArchiveFormat,
  { folder }: Imgpack,
  file: string,
  options: Pick<ConvertOptions, "for"> = {},
): Promise<string> {
  const output = `${folder}/out.tar`;
  await convert(fixture(file), { ...options, output, format });
  return output;
}

describeWith(["skopeo", "umoci", "tar"], "imgpack convert", () => {
  let imgpack: Imgpack;
  let skopeo: RecordedLoader<{ close(): Promise<void> }>;
  beforeAll(async () => {
    imgpack = await createImgpack();
    skopeo = await RecordedLoader.create("skopeo", async () => ({ close: async () => undefined }));
  });
  afterAll(async () => {
    await Promise.all([imgpack?.close(), skopeo?.close()]);
  });

  async function copied(source: string): Promise<void> {
    const target = `${imgpack.folder}/copied`;
    await rm(target, { recursive: true, force: true });
    const { code, stderr } = await copyWithSkopeo(source, `dir:${target}`);
    if (code !== 0) throw new Error(`skopeo copy ${source}: ${stderr}`);
  }

  for (const file of files) {
    test(`imgpack convert keeps every image of ${file} in each form, and skopeo reads them`, async () => {
      const ids = imageIds(file);
      for (const format of ["universal", "oci", "docker"] as const) {
        const archive = sample.includes(file)
          ? await converted(imgpack, file, "out.tar", "--format", format)
          : await convertedTo(format, imgpack, file);
        expect(await verify(archive, { diffIds: true })).toMatchObject({ faults: [] });
        const { images } = await inspect(archive);
        const found = images.flatMap(({ platforms }) => platforms.map(({ config }) => config));
        // The docker form takes one platform of each image.
        if (format === "docker") expect(ids).toEqual(expect.arrayContaining([...new Set(found)]));
        // Attestations and referrers have configs too.
        else expect(found).toEqual(expect.arrayContaining([...ids]));
        expect(found.length).toBeGreaterThan(0);
        const isOwn = golden(file).images.some(({ platform }) => platform === own);
        // skopeo takes one image, for its own platform, unless it is told a name.
        if (images.length !== 1 || (images[0]?.names.length ?? 0) > 1 || !isOwn) continue;
        // What refers to the image is an entry of index.json there, so that oras and regctl find it.
        if (format === "oci" && images[0]?.referrers !== undefined) continue;
        const transport = format === "oci" ? "oci-archive" : "docker-archive";
        await skopeo.answer(archive, ["copy", transport], async () => {
          await copied(`${transport}:${archive}`);
          return "copied";
        });
      }
    });
  }

  test("imgpack convert writes the bytes of the file to stdout", async () => {
    const archive = await converted(imgpack, "docker20-shared.tar", "out.tar");
    const { code, stdoutBytes, stderr } = await imgpack.run(["convert", fixture("docker20-shared.tar"), "-"]);
    expect(code).toBe(0);
    expect(stderr).toContain("docker.io/library/app:1.0@sha256:");
    const { stdoutBytes: file } = await run("cat", [archive]);
    expect(stdoutBytes.equals(file)).toBe(true);
  });

  test("umoci and skopeo open a folder that imgpack convert wrote", async () => {
    const folder = await converted(imgpack, "docker20-hello.tar", "layout/");
    expect(successful(await run("umoci", ["ls", "--layout", folder.replace(/\/$/, "")])).trim()).toBe("latest");
    const stat = successful(await run("umoci", ["stat", "--image", `${folder.replace(/\/$/, "")}:latest`, "--json"]));
    expect(JSON.parse(stat)).toHaveProperty("history");
    await copied(`oci:${folder}:latest`);
  });

  test.skipIf(findTool("docker-registry") === undefined)(
    "imgpack push of a converted archive gives the digests that pushing the archive itself gives",
    async () => {
      const registry = await startDockerRegistry();
      try {
        for (const file of ["docker20-shared.tar", "docker28-classic-hello.tar", "multi-platform-oci.tar"]) {
          const archive = await converted(imgpack, file, "out.tar");
          const [first, second] = [
            await imgpack.push([fixture(file), "--to", `${registry.host}/one`]),
            await imgpack.push([archive, "--to", `${registry.host}/two`]),
          ];
          const digests = ({ images }: typeof first): readonly (string | undefined)[] =>
            images.map(({ digest }) => digest).sort();
          expect(digests(second)).toEqual(digests(first));
        }
      } finally {
        await registry.close();
      }
    },
  );
});

describeWith([await probeDockerd({ containers: true })], "imgpack convert and docker", () => {
  let imgpack: Imgpack;
  let loader: RecordedLoader<Dockerd>;
  beforeAll(async () => {
    [imgpack, loader] = await Promise.all([createImgpack(), RecordedLoader.create("docker", startDockerd)]);
  });
  afterAll(async () => {
    await Promise.all([imgpack?.close(), loader?.close()]);
  });

  for (const file of files) {
    test(`docker loads ${file} after imgpack convert --for docker20, in both forms it knows`, async () => {
      for (const format of ["universal", "docker"] as const) {
        const archive =
          file === sample[0]
            ? await converted(imgpack, file, "out.tar", "--format", format, "--for", "docker20")
            : await convertedTo(format, imgpack, file, { for: "docker20" });
        const { complaint, ids } = await loader.answer(archive, ["load"], peer => loadAlone(peer, archive));
        expect(complaint).toBeUndefined();
        expect(ids).not.toEqual([]);
        expect(imageIds(file)).toEqual(expect.arrayContaining([...ids]));
      }
    });
  }

  for (const layers of ["raw", "gzip"]) {
    test(`docker loads and runs an image whose zstd layers imgpack convert made ${layers}`, async () => {
      const daemon = await loader.peer();
      const file = "docker28-containerd-zstd.tar";
      const zstd = await converted(imgpack, file, "zstd.tar", "--tag", "refused:1");
      expect((await daemon.docker(["load", "--input", zstd])).code).not.toBe(0);
      const archive = await converted(imgpack, file, "out.tar", "--layers", layers, "--tag", "converted:1");
      successful(await daemon.docker(["load", "--input", archive]));
      expect(successful(await daemon.docker(["run", "--rm", "--network=none", "converted:1"]))).toBe(greeting);
      successful(await daemon.docker(["rmi", "--force", "converted:1"]));
    });
  }
});

describeWith([await probePodman(), await probeContainerd(), "tar"], "imgpack convert, podman and containerd", () => {
  let imgpack: Imgpack;
  let podman: RecordedLoader<PodmanService>;
  let containerd: RecordedLoader<Containerd>;
  beforeAll(async () => {
    [imgpack, podman, containerd] = await Promise.all([
      createImgpack(),
      RecordedLoader.create("podman", startPodmanService),
      RecordedLoader.create("containerd", startContainerd),
    ]);
  });
  afterAll(async () => {
    await Promise.all([imgpack?.close(), podman?.close(), containerd?.close()]);
  });

  for (const file of sample) {
    test(`podman and ctr load what imgpack convert made of ${file}`, async () => {
      for (const format of ["universal", "docker"] as const) {
        const archive = await convertedTo(format, imgpack, file);
        expect(await podman.answer(archive, ["load"], peer => loadAlone(peer, archive))).toEqual({
          ids: imageIds(file),
        });
        const { all, made } = await containerd.answer(archive, ["import", "create"], peer => createAll(peer, archive));
        expect(all).toBeGreaterThanOrEqual(imageIds(file).length);
        expect(made).toBe(all);
      }
    });
  }
});
