import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { CommandParameters } from '../../domain/protocol/command.js';

/** The AWS IoT command that tells one connected device to shut off. */
export interface DeviceCommands {
  /** Resolves to the id of the execution. The same `clientToken` (1 to 64 printable characters without blanks) again is the same execution. */
  start(thing: ThingName, parameters: CommandParameters, clientToken: string): Promise<string>;
  /** Status of the execution, and what the device said with it; `undefined`: there is none. */
  execution(
    executionId: string,
    thing: ThingName,
  ): Promise<{ readonly status: string; readonly said: Readonly<Record<string, string>> } | undefined>;
}
