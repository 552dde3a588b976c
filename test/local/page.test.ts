import http from 'node:http';
import { startDesk, type Desk } from '../../local/desk.js';

const get = (url: string, host?: string): Promise<{ status: number; type: string; body: string }> =>
  new Promise((resolve, reject) => {
    http
      .get(url, host === undefined ? {} : { headers: { host } }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            type: response.headers['content-type'] ?? '',
            body: Buffer.concat(parts).toString('utf8'),
          }),
        );
      })
      .on('error', reject);
  });

describe('the page of the desk', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await startDesk();
  });
  afterAll(() => desk.stop());

  it('is served to a browser at this computer', async () => {
    const { status, type, body } = await get(`${desk.endpoint}/_desk/`);
    expect({ status, type }).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
    expect(body).toContain('AWS and time are simulated');
  });

  it('tells the state of an empty account', async () => {
    const { status, body } = await get(`${desk.endpoint}/_desk/state`);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ devices: [], holds: [], contained: [], crls: [], alarms: [] });
  });

  it('shows what a journal holds once, however often a device knocks', async () => {
    for (const what of ['connected', 'refused', 'refused', 'refused']) {
      desk.world.journal.add({ kind: 'connection', what, who: 'pump-1', ok: what === 'connected' });
    }
    await new Promise((resolve) => setTimeout(resolve, 600)); // the state is kept for half a second
    const { journal } = JSON.parse((await get(`${desk.endpoint}/_desk/state`)).body) as { journal: { what: string }[] };
    expect(journal.map(({ what }) => what)).toEqual(['refused', 'connected']);
  });

  it('is not served to a site that has its name point at loopback', async () => {
    const { status } = await get(`${desk.endpoint}/_desk/state`, 'rebound.example');
    expect(status).toBe(403);
  });
});
