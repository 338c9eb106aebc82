import { onTestFinished } from "vitest";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { type RunningRegistry, startRegistry } from "../../../src/serve/server.ts";
import { SYSTEM_CLOCK } from "../../../src/util/time/clock.ts";

/** Serves archives until the test is over. @param events gets all but requests. */
export async function startArchives(archives: readonly string[], events: ServeEvent[] = []): Promise<RunningRegistry> {
  const onEvent = (event: ServeEvent): void => void (event.kind === "request" ? 0 : events.push(event));
  const registry = await startRegistry({ archives, onEvent }, SYSTEM_CLOCK);
  onTestFinished(async () => await registry.close());
  return registry;
}
