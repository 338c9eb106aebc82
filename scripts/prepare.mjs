// @ts-check
// What npm runs after `npm ci` in a clone, and when it installs the package from a git repository.
import { buildWhenStale } from "./build/when-stale.mjs";

await buildWhenStale();
