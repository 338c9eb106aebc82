// Writes docs/pictures/terminal.svg from a real run: an archive goes to a registry, and from there into docker.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { COMMAND } from "../command.ts";
import { svgOfFrames } from "./svg-of-frames.ts";
import { TerminalScene } from "./terminal-scene.ts";

const COLUMNS = 100;
const MAX_BYTES = 30_000;

await using scene = await TerminalScene.start(COMMAND);
const host = await scene.serve();
await using terminal = await scene.terminal(COLUMNS, 24);
await terminal.clear();
await terminal.enter(`imgpack push hello.tar.gz --registry ${host} --limit-rate 8M`);
const isTotals = (row: string): boolean => /^\[={8,17} +\] Pushing .* left$/.test(row);
const isBlob = (row: string): boolean => /^ {2}\S+ +\[=+ +\] /.test(row);
await terminal.until(rows => rows.some(isTotals) && rows.some(isBlob), "half a push");
const during = await terminal.shown("-e");
await terminal.prompt();
await terminal.enter(`imgpack pull ${host}/hello:latest -o out.tar`);
await terminal.prompt();
await terminal.enter("docker load -i out.tar");
await terminal.prompt();
const after = await terminal.shown("-e");
await promisify(execFile)("docker", ["rmi", `${host}/hello:latest`]);
const svg = svgOfFrames(
  [
    { title: "a push under way", rows: during },
    { title: "pushed, pulled, loaded", rows: after.slice(0, -1) },
  ],
  COLUMNS,
  "imgpack pushes an archive to a registry with a bar for each blob; later it pulls the image, and docker loads it",
);
if (svg.length > MAX_BYTES) throw new Error(`the picture has ${svg.length} bytes, expected at most ${MAX_BYTES}`);
await writeFile(join(process.cwd(), "docs/pictures/terminal.svg"), svg);
