import { startInstallation, type Installation } from '../operations/installation.js';

let off: Installation;
beforeAll(async () => {
  off = await startInstallation();
}, 60_000);
afterAll(() => off?.stop());

describe('where the audit is off', () => {
  test.each(['findings', 'audit'])('%s says so, and what to do', async (command) => {
    const { code, err } = await off.run(command);
    expect([code, err]).toEqual([1, 'refused: the audit is off in this installation: set audit.mode in its configuration, and deploy\n']);
  });
});
