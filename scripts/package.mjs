// @ts-check
// Lays out the package for `npm pack` and `npm publish`, which take the folder that is named: default package/.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stagePackage } from "./package/stage.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
await stagePackage(process.argv[2] ?? join(root, "package"));
