import { ENVIRONMENT } from "./environment.ts";
import { EXIT_CODE_TOPIC } from "./exit-codes.ts";
import { FORMATS } from "./formats.ts";
import type { HelpTopic } from "./help-topic.ts";

/** The pages of `imgpack help` that belong to no command. */
export const HELP_TOPICS: readonly HelpTopic[] = [ENVIRONMENT, EXIT_CODE_TOPIC, FORMATS];
