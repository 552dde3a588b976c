/** Filters of DescribeParameters (ParameterStringFilter API reference). One that the desk does not have is refused: it would show too much. */
import { AwsError } from '../../models/service.js';

export interface ParameterFilter {
  readonly Key: string;
  readonly Option?: string;
  readonly Values?: readonly string[];
}

interface Filtered {
  readonly Name: string;
  readonly Type: string;
  readonly Tier: string;
  readonly DataType: string;
  readonly tags: ReadonlyMap<string, string>;
}

const OPTIONS: Readonly<Record<string, (text: string, wanted: string) => boolean>> = {
  Equals: (text, wanted) => text === wanted,
  BeginsWith: (text, wanted) => text.startsWith(wanted),
  Contains: (text, wanted) => text.includes(wanted),
};
const PATHS: Readonly<Record<string, (name: string, prefix: string) => boolean>> = {
  Recursive: (name, prefix) => name.startsWith(prefix),
  OneLevel: (name, prefix) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'),
};

export function compileFilter({ Key, Option, Values = [] }: ParameterFilter): (parameter: Filtered) => boolean {
  if (Key === 'Path') {
    const within = PATHS[Option ?? 'OneLevel'] ?? refuseOption(Option);
    return ({ Name }) => Values.some((path) => within(Name, path.endsWith('/') ? path : `${path}/`));
  }
  const compare = OPTIONS[Option ?? 'Equals'] ?? refuseOption(Option);
  if (Key === 'Name' || Key === 'Type' || Key === 'Tier' || Key === 'DataType')
    return (parameter) => Values.some((wanted) => compare(parameter[Key], wanted));
  if (Key.startsWith('tag:')) {
    return ({ tags }) => {
      const value = tags.get(Key.slice('tag:'.length));
      return value !== undefined && (Values.length === 0 || Values.includes(value));
    };
  }
  throw new AwsError('InvalidFilterKey', `The specified key ${Key} is not valid, or not served by the desk.`);
}

function refuseOption(option: string | undefined): never {
  throw new AwsError('InvalidFilterOption', `The specified filter option ${option} is not valid.`);
}
