import { EngineError, type ImgpackError } from "../../errors.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { array, checkSchema, fields, nullish, string } from "../../util/json/schema.ts";
import { namesIn } from "../api/load-report.ts";
import type { Engine } from "../engine.ts";
import { nameAmong, noSuchImage, readImageRequest } from "../image-request.ts";
import { loadByCommand, savedByCommand } from "./command-streams.ts";
import { type EngineCommand, MAX_OUTPUT_BYTES, outputOf } from "./run-command.ts";

const MAX_VERSION = 64;
const INSPECTED = array(fields({ RepoTags: nullish(array(string())) }));

/** Podman by its command, which needs no service. */
export function podmanCommand(given: NodeJS.ProcessEnv): Engine {
  // Podman takes an empty one for an address.
  const { CONTAINER_HOST: _, ...env } = given;
  const what = "podman";
  const hints = { start: "Install podman, or set CONTAINER_HOST to the socket of its service.", permit: "" };
  const command: EngineCommand = { program: "podman", env, what, hints };
  return {
    kind: "podman",
    what,
    async facts(signal) {
      const text = await outputOf(
        command,
        ["version", "--format", "{{.Client.Version}}"],
        "ask podman for its version",
        signal,
      );
      return { kind: "podman", version: escapeForeign(text.trim(), MAX_VERSION), address: "podman" };
    },
    async find(image, signal) {
      const request = readImageRequest("podman", image);
      const deed = `look for ${quote(image)} in ${what}`;
      const text = await outputOf(
        command,
        ["image", "inspect", "--format", "json", "--", request.text],
        deed,
        signal,
      ).catch(async (error: unknown) => {
        if (!(error instanceof EngineError) || !/no such (?:image|object)|image not known/i.test(error.message))
          throw error;
        throw await absent(image);
      });
      const name = nameAmong(request, tagsIn(text, what));
      return { request: name ?? request.text, name, isNamed: request.full !== undefined };

      async function absent(wanted: string): Promise<ImgpackError> {
        const format = ["images", "--noheading", "--format", "{{.Repository}}:{{.Tag}}"];
        const names = await outputOf(command, format, `list the images of ${what}`, signal);
        return noSuchImage(what, "podman", wanted, names.split("\n").filter(Boolean));
      }
    },
    save: async ({ request }, signal) =>
      await savedByCommand(
        command,
        ["save", "--quiet", "--format", "docker-archive", "--", request],
        `read ${quote(request)} from ${what}`,
        signal,
      ),
    load: async signal =>
      await loadByCommand(command, ["load", "--quiet"], `load images into ${what}`, namesIn, signal),
  };
}

function tagsIn(text: string, what: string): readonly string[] {
  const fail = (_: string, message: string): Error => new EngineError(message);
  const document = parseJson(Buffer.from(text), { what: "answer", where: what, maxBytes: MAX_OUTPUT_BYTES, fail });
  return checkSchema(INSPECTED, document, "answer", what, fail).flatMap(({ RepoTags }) => RepoTags ?? []);
}
