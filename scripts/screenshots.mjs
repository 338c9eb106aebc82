// @ts-check
// Takes pictures of the pages that people see, in a folder: npm run screenshots -- FOLDER. It needs Debian's chromium.
import { runTypeScript } from "./build/run-typescript.mjs";

await runTypeScript("test/support/pages/take-screenshots.ts");
