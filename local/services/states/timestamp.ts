/** RFC 3339 with an upper-case T, and Z or an offset: the only form that Step Functions takes. `undefined`: not such a text. */
const FORM = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

export function timestampMs(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const [, , month, day, hour, minute, second] = FORM.exec(text) ?? [];
  if (month === undefined) return undefined;
  const inRange = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 && Number(day) <= daysOf(text);
  const atMs = Date.parse(text);
  return inRange && !Number.isNaN(atMs) ? atMs : undefined;
}

/** JavaScript takes 31 February for 3 March. */
const daysOf = (text: string): number => new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
