import { EXIT_CODES } from "../../../errors.ts";
import type { HelpTopic } from "./help-topic.ts";

const { SIGHUP, SIGINT, SIGTERM } = EXIT_CODES;

/** Same codes as in README, "Exit codes". */
export const EXIT_CODE_TOPIC: HelpTopic = {
  name: "exit-codes",
  summary: "what the exit codes mean, for scripts",
  sections: [
    {
      title: "Exit codes",
      text: ["The code says what kind of error ended the run. The message on stderr says which one, and what to do."],
      rows: [
        { term: "0", text: "done: everything that was asked for" },
        { term: `${EXIT_CODES.internal}`, text: "a bug in imgpack: please report it with the command that you ran" },
        {
          term: `${EXIT_CODES.usage}`,
          text: "usage: a command, flag, value or reference that cannot be used",
        },
        {
          term: `${EXIT_CODES.archive}`,
          text: "archive: no image archive, or one that contradicts itself or lacks something",
        },
        {
          term: `${EXIT_CODES.auth}`,
          text: "authentication: the registry refuses the credentials, or wants some; see imgpack login",
        },
        {
          term: `${EXIT_CODES.notFound}`,
          text: "not found: an image, tag, blob or repository that the registry or the archive does not have",
        },
        { term: `${EXIT_CODES.integrity}`, text: "integrity: bytes that do not match their digest, size or signature" },
        {
          term: `${EXIT_CODES.network}`,
          text: "network: no answer; the name, the connection, TLS or the proxy failed",
        },
        {
          term: `${EXIT_CODES.registry}`,
          text: "registry: it answered with an error, with something that is not valid, or too late",
        },
        { term: `${EXIT_CODES.storage}`, text: "storage: no space, no permission, no such file or folder" },
        {
          term: `${EXIT_CODES.partial}`,
          text: "partial: some of several images failed, or all of them for several causes",
        },
        {
          term: `${SIGHUP}, ${SIGINT}, ${SIGTERM}`,
          text: "stopped by SIGHUP, SIGINT (Ctrl-C) or SIGTERM: 128 and the number of the signal; serve ends with 0 then",
        },
      ],
    },
    {
      title: "What a script can do",
      text: [
        "A failure that may be gone the next time has been retried already. Codes 7 and 8 are worth another run later: the next run sends only what is missing.",
        "With code 10, --failed-list FILE names the inputs that failed: give the file to -f of the next run.",
        "With --json, stdout has one object also after an error, with the fields code, message and hint in error.",
      ],
      rows: [],
    },
  ],
};
