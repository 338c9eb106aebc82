import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, probeDockerd } from "./peers/describe-with.ts";
import { startDockerd } from "./peers/dockerd.ts";
import { fixture, goldenImage, greeting } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { heldImage, heldTags } from "./peers/registry-content.ts";
import { type Served, startServe } from "./peers/served.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const hello = fixture("docker20-hello.tar");
const { imageId, diffIds } = goldenImage("docker20-hello.tar");

describeWith([], "imgpack serve", () => {
  let imgpack: Imgpack;
  beforeAll(async () => {
    imgpack = await createImgpack();
  });
  afterAll(() => imgpack?.close());

  test("imgpack serve prints its URL first, keeps what was pushed over a restart, and ends at SIGTERM", async () => {
    const store = `${imgpack.folder}/store`;
    const first = await startServe(store);
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await imgpack.push([hello, "--registry", first.host]);
    expect(await first.end("SIGTERM")).toEqual([0, null]);
    await expect(fetch(`${first.url}/v2/`)).rejects.toThrow();

    const second = await startServe(store);
    try {
      expect(await heldImage(second.url, "hello", "latest")).toMatchObject({ imageId, diffIds });
      await imgpack.pull([`${second.host}/hello:latest`, "-o", `${imgpack.folder}/out.tar`]);
      expect(await imgpack.verify(`${imgpack.folder}/out.tar`)).toMatchObject({ faults: [] });
    } finally {
      await second.end("SIGTERM");
    }
  });
});

describeWith(["skopeo"], "imgpack serve and skopeo", () => {
  let imgpack: Imgpack;
  let served: Served;
  beforeAll(async () => {
    imgpack = await createImgpack();
    served = await startServe(`${imgpack.folder}/store`);
  });
  afterAll(async () => {
    await served?.end("SIGTERM");
    await imgpack?.close();
  });

  test("skopeo pushes to imgpack serve and pulls from it", async () => {
    const image = `docker://${served.host}/team/hello:1`;
    expect(await copyWithSkopeo(`docker-archive:${hello}`, image)).toMatchObject({ code: 0 });
    expect(await heldTags(served.url, "team/hello")).toEqual(["1"]);
    expect(await heldImage(served.url, "team/hello", "1")).toMatchObject({ imageId, diffIds });
    const target = `${imgpack.folder}/skopeo.tar`;
    expect(await copyWithSkopeo(image, `docker-archive:${target}:hello:1`)).toMatchObject({ code: 0 });
    expect((await imgpack.inspect(target)).images[0]?.platforms[0]?.config).toBe(imageId);
  });

  test("skopeo copies a multi-platform image through imgpack serve", async () => {
    const source = `oci-archive:${fixture("multi-platform-oci.tar")}`;
    const image = `docker://${served.host}/multi:1.0`;
    const pushed = await copyWithSkopeo(source, image, ["--all", "--preserve-digests"]);
    expect(pushed).toMatchObject({ code: 0 });
    const target = `oci-archive:${imgpack.folder}/multi.tar:multi:1.0`;
    expect(await copyWithSkopeo(image, target, ["--all", "--preserve-digests"])).toMatchObject({ code: 0 });
    expect(await imgpack.verify(`${imgpack.folder}/multi.tar`)).toMatchObject({ faults: [] });
  });
});

describeWith([await probeDockerd({ containers: true })], "imgpack serve and docker", () => {
  test("docker pushes to imgpack serve, pulls from it and runs the image", async () => {
    const imgpack = await createImgpack();
    const [served, daemon] = await Promise.all([startServe(`${imgpack.folder}/store`), startDockerd()]);
    try {
      const name = `${served.host}/hello:latest`;
      for (const args of [
        ["load", "--input", hello],
        ["tag", "hello:latest", name],
        ["push", name],
        ["rmi", "--force", "hello:latest", name],
        ["pull", name],
      ]) {
        expect(await daemon.docker(args)).toMatchObject({ code: 0 });
      }
      const ran = await daemon.docker(["run", "--rm", "--network=none", name]);
      expect(ran).toMatchObject({ code: 0, stdout: greeting });
      const id = await daemon.docker(["image", "inspect", "--format", "{{.Id}}", name]);
      expect(id.stdout.trim()).toBe(imageId);
    } finally {
      await Promise.all([served.end("SIGTERM"), daemon.close()]);
      await imgpack.close();
    }
  });
});
