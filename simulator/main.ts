// What the supervisor starts: `arcus-sim serve` with its options.
process.argv.splice(2, 0, 'serve');
await import('./cli.js');
