// Someone who has Node and nothing else follows the README, without a network.
import { realpathSync } from "node:fs";
import { mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, probeDockerd, probePodman } from "../integration/peers/describe-with.ts";
import { packPackage } from "../integration/peers/installed-package.ts";
import { findTool } from "../integration/peers/run.ts";
import { createTempFolder, type TempFolder } from "../integration/peers/temp-folder.ts";
import { ownBlocks } from "../support/docs/own-blocks.ts";
import { type EmptyRoom, openEmptyRoom, probeEmptyRoom } from "./empty-room.ts";
import { blockSteps, installCommands, libraryProgram, uninstallCommand } from "./page-steps.ts";
import { bring, loadInDocker, loadInPodman, succeed, walkQuickStart, walkStep } from "./walk.ts";

const [docker, podman] = [await probeDockerd(), await probePodman()];

describeWith([await probeEmptyRoom(), "npm"], "a newcomer with Node alone", () => {
  let folder: TempFolder;
  let room: EmptyRoom;
  let pulled: string;
  let before: readonly string[];
  const [offline = "", unpacked = ""] = installCommands().filter(line => line.includes("imgpack-"));

  beforeAll(async () => {
    folder = await createTempFolder();
    const npm = realpathSync(findTool("npm") ?? "");
    room = await openEmptyRoom(["node", "tar", "gzip", "head"], [dirname(dirname(npm))]);
    await symlink(npm, join(room.root, "usr/bin/npm"));
    before = await filesOf(room);
    const archive = await packPackage(folder.path);
    await bring(room, archive, basename(archive));
  });
  afterAll(async () => {
    await room?.close();
    await folder?.remove();
  });

  test("finds no other commands in the README", () => {
    const own = ownBlocks("README.md", ({ heading }) => ["Quick start", "Library"].includes(heading));
    expect(own.map(({ language }) => language)).toEqual(["console", "js"]);
  });

  test("installs the file that they brought", async () => {
    expect(offline).toContain("--offline");
    await succeed(room, offline);
    expect(await succeed(room, "imgpack --version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("pushes, pulls and verifies an image", async () => {
    pulled = await walkQuickStart(room);
  });

  test("runs the same program without npm", async () => {
    expect(await succeed(room, unpacked)).toContain("imgpack push");
  });

  test("uses the library", async () => {
    await mkdir(room.path("node_modules"));
    await rename(room.path("package"), room.path("node_modules/imgpack"));
    await writeFile(room.path("use.mjs"), libraryProgram().replaceAll("registry.lan:5000", "localhost:5000"));
    expect(await succeed(room, "node use.mjs")).toMatch(/^localhost:5000\/site:1@sha256:[0-9a-f]{64}\n$/);
  });

  test("takes images across the gap of the tutorial", async () => {
    const steps = blockSteps(ownBlocks("docs/TUTORIAL.md", ({ language }) => language === "console"));
    for (const step of steps) await walkStep(room, step, step.command.includes("verify damaged.tar") ? 6 : 0);
  });

  describeWith([docker], "docker", () => {
    test("loads what was pulled", async () => {
      expect(await loadInDocker(pulled)).toContain("Loaded image: localhost:5000/site:1");
    });
  });
  describeWith([podman], "podman", () => {
    test("loads what was pulled", async () => {
      expect(await loadInPodman(pulled)).toContain("localhost:5000/site:1");
    });
  });

  test("removes it, and nothing of it is left", async () => {
    await succeed(room, uninstallCommand());
    expect((await room.run("imgpack --version")).code).toBe(127);
    expect(await filesOf(room)).toEqual(before);
  });
});

/** Outside of the user's folder. */
async function filesOf(room: EmptyRoom): Promise<readonly string[]> {
  const entries = await readdir(room.root, { recursive: true, withFileTypes: true });
  const paths = entries.filter(entry => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  return paths.filter(path => !path.startsWith(room.path(""))).sort();
}
