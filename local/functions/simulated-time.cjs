/**
 * Simulated time, loaded before the function's own code: Date and performance.timeOrigin run ahead of the wall clock by the desk's offset,
 * so that a function sees the time to which the desk's clock was moved. Timers and performance.now() stay on the wall clock. On AWS there
 * is nothing like it. The offset comes as the first argument and anew with every invocation.
 */
'use strict';
const WallDate = globalThis.Date;
const wallNow = WallDate.now.bind(WallDate);
const wallTimeOrigin = performance.timeOrigin;
let offsetMs = Number(process.argv[2] ?? 0);
const now = () => wallNow() + offsetMs;

WallDate.now = now;
const SimulatedDate = new Proxy(WallDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: (target) => new target(now()).toString(),
});
// `date.constructor === Date` stays true.
WallDate.prototype.constructor = SimulatedDate;
globalThis.Date = SimulatedDate;
Object.defineProperty(performance, 'timeOrigin', { configurable: true, get: () => wallTimeOrigin + offsetMs });

module.exports.setOffsetMs = (value) => {
  offsetMs = value;
};
