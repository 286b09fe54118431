/** What things are called in sentences, as rows of kinds say it. */
export type Called = { one: string; several: string };

/** `1 image`, `2 images`, `0 images`. */
export const counted = (count: number, called: Called): string => `${count} ${calledOf(count, called)}`;

/** `image`, `images`: what so many of them are called. */
export const calledOf = (count: number, { one, several }: Called): string => (count === 1 ? one : several);
