/** The form of a device's report, as the tables of detect-device-side-metrics.html give it. Blocks that the page does not know are let pass. */
export type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isPort = (value: unknown): boolean => isCount(value) && (value as number) <= 65_535;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isNumber = (value: unknown): boolean => typeof value === 'number';

/** Long name, short name, and what a member must be. */
type Member = readonly [long: string, short: string, fits: (value: unknown) => boolean];

const optional =
  (fits: (value: unknown) => boolean): ((value: unknown) => boolean) =>
  (value) =>
    value === undefined || fits(value);
const object =
  (...members: readonly Member[]): ((value: unknown) => boolean) =>
  (value) =>
    isObject(value) && members.every(([long, short, fits]) => fits(value[long] ?? value[short]));
const list =
  (fits: (value: unknown) => boolean): ((value: unknown) => boolean) =>
  (value) =>
    Array.isArray(value) && value.every(fits);

const ports = object(
  ['ports', 'pts', optional(list(object(['port', 'pt', isPort], ['interface', 'if', optional(isText)])))],
  ['total', 't', optional(isCount)],
);
const connections = object(
  [
    'connections',
    'cs',
    optional(
      list(object(['remote_addr', 'rad', isText], ['local_port', 'lp', optional(isPort)], ['local_interface', 'li', optional(isText)])),
    ),
  ],
  ['total', 't', optional(isCount)],
);
const METRICS: readonly Member[] = [
  ['listening_tcp_ports', 'tp', optional(ports)],
  ['listening_udp_ports', 'up', optional(ports)],
  [
    'network_stats',
    'ns',
    optional(
      object(
        ['bytes_in', 'bi', optional(isCount)],
        ['bytes_out', 'bo', optional(isCount)],
        ['packets_in', 'pi', optional(isCount)],
        ['packets_out', 'po', optional(isCount)],
      ),
    ),
  ],
  ['tcp_connections', 'tc', optional(object(['established_connections', 'ec', optional(connections)]))],
];

/** A custom metric is a list of one value: a number, or a list of numbers, texts or addresses (dd-detect-custom-metrics.html). */
function isCustomMetric(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 1 || !isObject(value[0])) return false;
  const [[kind, held] = ['', undefined], ...more] = Object.entries(value[0]);
  if (more.length > 0) return false;
  if (kind === 'number') return isNumber(held);
  if (kind === 'number_list') return list(isNumber)(held);
  return (kind === 'string_list' || kind === 'ip_list') && list((item) => typeof item === 'string')(held);
}

/** What is wrong with a report, or `undefined`. */
export function reportProblem(report: Json): string | undefined {
  const header = report['header'] ?? report['hed'];
  if (!object(['report_id', 'rid', isCount], ['version', 'v', isText])(header)) return 'Missing or malformed header';
  const metrics = report['metrics'] ?? report['met'];
  const custom = report['custom_metrics'] ?? report['cmet'];
  if (metrics === undefined && custom === undefined) return 'Missing metrics';
  if (metrics !== undefined && !isObject(metrics)) return 'Malformed metrics report';
  const malformed = METRICS.find(
    ([long, short, fits]) => !fits((metrics as Json | undefined)?.[long] ?? (metrics as Json | undefined)?.[short]),
  );
  if (malformed) return `Malformed metric ${malformed[0]}`;
  if (custom === undefined) return undefined;
  if (!isObject(custom)) return 'Malformed custom metrics';
  const bad = Object.entries(custom).find(([, value]) => !isCustomMetric(value));
  return bad ? `Malformed custom metric ${bad[0]}` : undefined;
}
