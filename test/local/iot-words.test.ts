/** Enumerated members of AWS IoT's registry, Jobs and commands: a word that AWS does not know is refused, neither ignored nor looked for in vain. */
import {
  AttachThingPrincipalCommand,
  CreateThingCommand,
  IoTClient,
  ListAuditTasksCommand,
  ListCommandExecutionsCommand,
  ListCommandsCommand,
  ListJobExecutionsForJobCommand,
  ListJobExecutionsForThingCommand,
  ListJobsCommand,
  ListPrincipalThingsV2Command,
  ListThingPrincipalsV2Command,
} from '@aws-sdk/client-iot';
import { type Desk, startDesk } from '../../local/desk.js';
import { ARN } from './gateway-desk.js';

const thingName = 'pump-1';
const principal = ARN(`cert/${'a'.repeat(64)}`);
const word = 'NO_SUCH_WORD' as never;

let desk: Desk;
let iot: IoTClient;
beforeAll(async () => {
  desk = await startDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  iot = new IoTClient({ endpoint: desk.endpoint, region: desk.world.region, credentials: desk.adminCredentials, maxAttempts: 1 });
  await iot.send(new CreateThingCommand({ thingName }));
});
afterAll(async () => {
  iot.destroy();
  await desk.stop();
});

type Call = () => Promise<unknown>;
test.each<[string, string, Call]>([
  ['status of ListJobs', 'InvalidRequestException', () => iot.send(new ListJobsCommand({ status: word }))],
  ['targetSelection of ListJobs', 'InvalidRequestException', () => iot.send(new ListJobsCommand({ targetSelection: word }))],
  [
    'status of ListJobExecutionsForThing',
    'InvalidRequestException',
    () => iot.send(new ListJobExecutionsForThingCommand({ thingName, status: word })),
  ],
  [
    'status of ListJobExecutionsForJob',
    'InvalidRequestException',
    () => iot.send(new ListJobExecutionsForJobCommand({ jobId: 'any', status: word })),
  ],
  ...(['taskType', 'taskStatus'] as const).map((member): [string, string, Call] => [
    `${member} of ListAuditTasks`,
    'InvalidRequestException',
    () => iot.send(new ListAuditTasksCommand({ startTime: new Date(0), endTime: new Date(1), [member]: word })),
  ]),
  ['namespace of ListCommands', 'ValidationException', () => iot.send(new ListCommandsCommand({ namespace: word }))],
  ['sortOrder of ListCommands', 'ValidationException', () => iot.send(new ListCommandsCommand({ sortOrder: word }))],
  ...(['status', 'namespace', 'sortOrder'] as const).map((member): [string, string, Call] => [
    `${member} of ListCommandExecutions`,
    'ValidationException',
    () => iot.send(new ListCommandExecutionsCommand({ targetArn: ARN(`thing/${thingName}`), [member]: word })),
  ]),
  [
    'thingPrincipalType of AttachThingPrincipal, which decides who else the certificate may belong to',
    'InvalidRequestException',
    () => iot.send(new AttachThingPrincipalCommand({ thingName, principal, thingPrincipalType: word })),
  ],
  [
    'thingPrincipalType of ListThingPrincipalsV2',
    'InvalidRequestException',
    () => iot.send(new ListThingPrincipalsV2Command({ thingName, thingPrincipalType: word })),
  ],
  [
    'thingPrincipalType of ListPrincipalThingsV2',
    'InvalidRequestException',
    () => iot.send(new ListPrincipalThingsV2Command({ principal, thingPrincipalType: word })),
  ],
])('an unknown word is refused: %s', async (_, name, call) => {
  await expect(call()).rejects.toMatchObject({ name, message: expect.stringContaining('NO_SUCH_WORD') });
});
