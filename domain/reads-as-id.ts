/** Whether a name reads as an id: who types it to remove what is called so would remove what has that id. */
export const readsAsId = (name: string): boolean => /^#?\p{Nd}+$/u.test(name.normalize('NFKC'));
