/** docs/protocol.md is what a firmware engineer has: every word and topic of the contract stands in it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { JOB_FILTERS } from '../../agent/jobs/jobs-client.js';
import { OVER_CODES, TRANSIENT_CODES } from '../../agent/jobs/job-messages.js';
import { Rotation } from '../../agent/rotation/record.js';
import { DEFAULT_SETTINGS } from '../../agent/settings.js';
import {
  MAX_CSR_CHARACTERS,
  ROTATION_OPERATION,
  ROTATION_REASONS,
  ROTATION_REFUSALS,
  RotationResponse,
} from '../../domain/protocol/rotation.js';
import { COMMAND_FILTERS, COMMAND_TIMEOUT_SECONDS, ShutOffCommand, commandTopic, reasonCode } from '../../domain/protocol/command.js';
import { readReport, type ReportFields } from '../../domain/protocol/device-report.js';
import { PRESENCE_PROVES_AFTER_SECONDS, PROOF_HOLDS_SECONDS } from '../../domain/protocol/rotation-events.js';
import { DEVICE_FAILURES } from '../../domain/protocol/rotation-failures.js';
import { DEVICE_OPERATIONS, SHUT_OFF_DETAIL, SHUT_OFF_FAILURES, ShutOffJob, type ShutOffFailure } from '../../domain/protocol/shut-off.js';
import { REPORT_TOPIC, ROTATION_TOPICS, defenderTopic, deviceTopic, jobsTopic } from '../../domain/protocol/topics.js';

/** Columns of tables are padded by the formatter. */
const document = readFileSync(path.join(__dirname, '..', '..', 'docs', 'protocol.md'), 'utf8').replaceAll(/ +/g, ' ');

test.each(Object.entries(ROTATION_REFUSALS))(
  'refusal %s stands in it, with whether it is final and what it means',
  (word, { final, says }) => {
    expect(document).toContain(`| \`${word}\` | ${final ? 'yes' : 'no'} | ${says} |`);
  },
);

test.each(Object.entries(DEVICE_FAILURES))('failure %s stands in it', (word, says) => {
  expect(document).toContain(`| \`${word}\` | ${says} |`);
});

test.each(Object.entries(SHUT_OFF_FAILURES))('failure %s of a shut-off stands in it', (word, says) => {
  expect(document).toContain(`| \`${word}\` | ${says} |`);
});

test.each([
  defenderTopic('<thing>'),
  ...([...ROTATION_TOPICS.publish, ...ROTATION_TOPICS.receive, REPORT_TOPIC] as const).map((topic) =>
    deviceTopic('<prefix>', '<thing>', topic),
  ),
  ...JOB_FILTERS.map((filter) => jobsTopic('<thing>', filter)),
  ...['get', '<jobId>/get', '<jobId>/update'].map((suffix) => jobsTopic('<thing>', suffix)),
])('topic %s stands in it', (topic) => {
  expect(document).toContain(topic);
});

test('operation, reasons, kinds of answers, limits and rejections stand in it', () => {
  const statuses = RotationResponse.options.map(({ shape }) => shape.status.value);
  const words = [ROTATION_OPERATION, ...ROTATION_REASONS, ...statuses, ...OVER_CODES, ...TRANSIENT_CODES, String(MAX_CSR_CHARACTERS)];
  expect(words.filter((word) => !document.includes(word))).toEqual([]);
});

test('every state that the reference device stores stands in it', () => {
  const states = Rotation.options.map(({ shape }) => shape.state.value);
  expect(states.filter((state) => !document.includes(`| \`${state}\` |`))).toEqual([]);
});

test('the times are those of the reference device', () => {
  const { connectTimeoutMs, reconnect, trialTries, jobAnswerMs, jobTries, answerMs, requestTries, ask, refused, settleMs, storageTries } =
    DEFAULT_SETTINGS;
  expect(document).toContain(`| TCP, TLS and CONNACK together | ${connectTimeoutMs / 1000} s |`);
  expect(document).toContain(
    `| between attempts to connect | ${reconnect.firstMs / 1000} s, from half of it on | ${reconnect.longestMs / 1000} s |`,
  );
  expect(document).toContain(`| trial of the new certificate: refusals | | | ${trialTries},`);
  expect(document).toContain(
    `| answer of Jobs | ${jobAnswerMs / 1000} s, then again after ${ask.firstMs / 1000} s … | ${ask.longestMs / 1000} s | ${jobTries},`,
  );
  expect(document).toContain(
    `| answer to a request | ${answerMs / 1000} s and a jittered ${ask.firstMs / 1000} s … | ${ask.longestMs / 1000} s | ${requestTries},`,
  );
  expect(document).toContain(
    `| after a refusal that is not final | ${refused.firstMs / 2000} s and a jittered ${refused.firstMs / 1000} s … | ${refused.longestMs / 1000} s |`,
  );
  expect(document).toContain(`before a new pair is deleted that was let in | ${settleMs / 1000} s |`);
  expect(document).toMatch(new RegExp(`storage does not take \\| 1 s \\| 60 s \\| ${storageTries} before the proof`));
});

test('what a proof is worth is what the cloud takes, and the device holds its new pair for longer', () => {
  expect([PROOF_HOLDS_SECONDS, PRESENCE_PROVES_AFTER_SECONDS]).toEqual([300, 180]);
  expect(document).toContain('A proof holds for five minutes.');
  expect(document).toContain('that still stands three minutes later is a proof by itself');
  expect(DEFAULT_SETTINGS.settleMs).toBeGreaterThan(PROOF_HOLDS_SECONDS * 1000);
});

/** The JSON blocks of one section. */
const samples = (section: string): unknown[] => {
  const from = document.indexOf(section);
  const text = document.slice(from, document.indexOf('\n## ', from));
  return [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json!) as unknown);
};

test('operations of a shut-off, their answers, and a sample that the device takes', () => {
  const words = [...DEVICE_OPERATIONS, ...Object.values(SHUT_OFF_DETAIL).map((detail) => `statusDetails.${detail}`)];
  expect(words.filter((word) => !document.includes(word))).toEqual([]);
  const orders = samples('## 10. Shut off').filter((sample) => typeof sample === 'object' && sample !== null && 'operation' in sample);
  expect(orders.map((sample) => ShutOffJob.safeParse(sample).success)).toEqual([true, true]);
});

test('the shut-off by command: topics, payload, answers, times', () => {
  const [, payload, ...answers] = samples('## 10. Shut off');
  expect(ShutOffCommand.safeParse(payload).success).toBe(true);
  const codes = Object.keys(SHUT_OFF_FAILURES).map((failure) => reasonCode(failure as ShutOffFailure));
  expect(answers).toEqual([
    { status: 'SUCCEEDED', result: { stopped: { s: 'actuation,telemetry' } } },
    {
      status: 'FAILED',
      statusReason: { reasonCode: expect.stringMatching(new RegExp(`^(${codes.join('|')})$`)), reasonDescription: expect.any(String) },
    },
  ]);
  expect(COMMAND_FILTERS.filter((filter) => !document.includes(commandTopic('<thing>', filter)))).toEqual([]);
  expect(document).toContain(`after the time-out of the command (${COMMAND_TIMEOUT_SECONDS} s)`);
  expect(document).toContain(`ask again ${DEFAULT_SETTINGS.refused.longestMs / 1000} s later`);
});

test('the sample of a report is one that the monitor reads', () => {
  const [sample] = samples('## 12. Reports');
  const report = readReport(sample as ReportFields);
  expect(report?.values.get('aws:all-bytes-out')).toBe(10_652);
  expect(report?.values.get('aws:destination-ip-addresses')).toEqual(['198.51.100.7']);
  expect(report?.values.get('cpu_temp')).toBe(61);
});

test('when to be quiet, and how often to report, is as in the reference device', () => {
  const { cutsUntilQuiet, stableAfterMs, quiet, reportEveryMs, jobAnswerMs } = DEFAULT_SETTINGS;
  const text = document.replaceAll('\n', ' ').replaceAll(/ +/g, ' ');
  expect(text).toContain(`After ${cutsUntilQuiet} connections in a row that ended within ${stableAfterMs / 1000} s of a message`);
  expect(text).toContain(
    `publish nothing but those for ${quiet.firstMs / 2000} s and a jittered ${quiet.firstMs / 1000} s, the ceiling doubling up to ${quiet.longestMs / 1000} s`,
  );
  expect(text).toContain(`only after its answer, or after ${jobAnswerMs / 1000} s without one`);
  expect(text).toContain(`Every ${reportEveryMs / 1000} s, or less often, to \`<prefix>/<thing>/report\``);
});
