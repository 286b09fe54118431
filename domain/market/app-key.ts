/** What the bytes of an app are called in a marketplace of ours: by its id, and by chance, so that nobody guesses it and none is given twice. */
export const appKey = (app: number, chance: string): string => `marketapp-${app}-${chance}`;

const pattern = /^marketapp-(0|[1-9][0-9]{0,14})-[0-9a-f]{32}$/;
export const isAppKey = (name: string): boolean => pattern.test(name);
/** Which app a name is of; undefined: it is none of ours. */
export function appOfKey(name: string): number | undefined {
  const id = pattern.exec(name)?.[1];
  return id === undefined ? undefined : Number(id);
}
