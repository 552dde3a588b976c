/**
 * What a device does in the world, as a port: valves, motors, heaters. The hardware must be at rest from power-up until `resume` is called for the first
 * time: which of the two it is, stands in the storage, and that takes a moment to read.
 *
 * Both may be called again for what is so already, after a power cut. Rejecting says that it could not be done. One that never ends keeps the
 * device from obeying anything else: give up by a time-out of your own.
 */
export interface Actuation {
  stop(): Promise<void>;
  resume(): Promise<void>;
}
