// SPDX-License-Identifier: MIT
//
// The package as its users import it: its declarations compile, a program against them too, errors
// are found where they are expected, and what is declared is what is there: every exported value,
// every method of every class.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ts = createRequire(import.meta.url)(process.env.TAU_TYPESCRIPT);

const room = mkdtempSync(path.join(tmpdir(), 'tau-types-'));
after(() => rmSync(room, { recursive: true }));

const usage = path.join(room, 'js_usage.ts');
const imports = path.join(room, 'imports.mjs');
mkdirSync(path.join(room, 'node_modules'));
symlinkSync(process.env.TAU_JS, path.join(room, 'node_modules', 'tauclient'));
writeFileSync(path.join(room, 'package.json'), '{ "type": "module" }');
writeFileSync(imports,
    "export * as main from 'tauclient';\nexport * as tcp from 'tauclient/tcp';\n");
copyFileSync(fileURLToPath(new URL('js_usage.ts', import.meta.url)), usage);

const program = ts.createProgram([usage], {
    strict: true, noEmit: true, exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, types: [],
    moduleResolution: ts.ModuleResolutionKind.Node16, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
});
const checker = program.getTypeChecker();
const modules = await import(pathToFileURL(imports));

/** What a module that the program imports declares, by name. */
function declared(specifier) {
    const { resolvedFileName } = ts.resolveModuleName(specifier, usage,
        program.getCompilerOptions(), ts.sys, undefined, undefined, ts.ModuleKind.ESNext)
        .resolvedModule;
    const file = program.getSourceFile(resolvedFileName);
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file));
    return new Map(symbols.map((one) => [one.name,
        one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one]));
}

test('the declarations and a program against them compile', () => {
    const found = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) =>
        `${file?.fileName}:${start} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    assert.deepEqual(found, []);
});

for (const [specifier, name] of [['tauclient', 'main'], ['tauclient/tcp', 'tcp']]) {
    test(`${specifier} exports what it declares`, () => {
        const values = [...declared(specifier)].filter(([exported, symbol]) =>
            symbol.flags & ts.SymbolFlags.Value && exported !== 'ClientBase');
        assert.deepEqual(values.map(([exported]) => exported).sort(),
            Object.keys(modules[name]).sort());
    });
}

/** The methods of a class and those that it inherits, up to what is not the package's. */
function methodsOf(one) {
    const names = new Set();
    for (let at = one.prototype; at && ![Object, Error].includes(at.constructor);
        at = Object.getPrototypeOf(at)) {
        Object.entries(Object.getOwnPropertyDescriptors(at))
            .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
            .forEach(([name]) => names.add(name));
    }
    return names;
}

test('classes have the methods that are declared', () => {
    let methods = 0;
    for (const [name, symbol] of declared('tauclient')) {
        const one = modules.main[name];
        if (symbol.flags & ts.SymbolFlags.Class && one) {
            const there = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
                .filter(({ flags }) => flags & ts.SymbolFlags.Method)
                .map((method) => method.name).filter((method) => !method.startsWith('__@'));
            assert.deepEqual(there.sort(), [...methodsOf(one)].sort(), name);
            methods += there.length;
        }
    }
    assert(methods > 25);
});
