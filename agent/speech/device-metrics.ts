/** What a device knows about itself, as a port: asked before each report. What it does not know it leaves out; nothing is made up. */
export interface DeviceMetrics {
  /** Open to others: not those on the loopback interface alone. */
  readonly listeningTcpPorts?: readonly number[];
  readonly listeningUdpPorts?: readonly number[];
  /** Counters that only grow, since whenever: a report says what has been added since the one before. */
  readonly traffic?: Traffic;
  /** The other ends of established TCP connections, `198.51.100.7:8883`, `[2001:db8::1]:8883`. */
  readonly peers?: readonly string[];
  /** Custom metrics of the account, by their names. */
  readonly custom?: Readonly<Record<string, number | readonly number[] | readonly string[]>>;
}

export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
}

export type Metrics = () => DeviceMetrics | Promise<DeviceMetrics>;
