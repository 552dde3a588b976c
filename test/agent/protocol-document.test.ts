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
import { DEVICE_FAILURES } from '../../domain/protocol/rotation-failures.js';
import { ROTATION_TOPICS, deviceTopic, jobsTopic } from '../../domain/protocol/topics.js';

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

test.each([
  ...[...ROTATION_TOPICS.publish, ...ROTATION_TOPICS.receive].map((topic) => deviceTopic('<prefix>', '<thing>', topic)),
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
  expect(document).toContain(`before the new pair is deleted after a proof | ${settleMs / 1000} s |`);
  expect(document).toMatch(new RegExp(`storage does not take \\| 1 s \\| 60 s \\| ${storageTries} before the proof`));
});
