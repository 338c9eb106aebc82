// @ts-check
// Lays out the package for `npm pack` and `npm publish`, which take the folder that is named: default package/.
import { join } from "node:path";
import { root } from "./build/options.mjs";
import { stagePackage } from "./package/stage.mjs";

await stagePackage(process.argv[2] ?? join(root, "package"));
