import ts from 'typescript';

/** One import of a module, of whatever form. */
export interface ModuleImport {
  readonly specifier: string;
  /** `static` is loaded with the module; `dynamic` when the line runs; `type` never, though its declarations are read. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

/** What the rules have to know of one source file. */
export interface SourceModule {
  /** Relative to lib, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly ModuleImport[];
  /** Whether an `await` runs while the module is loaded. */
  readonly awaitsAtTopLevel: boolean;
}

export function parseModule(path: string, text: string): SourceModule {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  return {
    path,
    lines: text.replace(/\n$/, '').split('\n').length,
    imports: importsOf(source),
    awaitsAtTopLevel: awaitsAtTopLevel(source),
  };
}

function importsOf(source: ts.SourceFile): ModuleImport[] {
  const imports: ModuleImport[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

function importOf(node: ts.Node): ModuleImport | undefined {
  if (ts.isImportDeclaration(node)) {
    return { specifier: specifierOf(node.moduleSpecifier), kind: isErased(node) ? 'type' : 'static' };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: specifierOf(node.moduleSpecifier), kind: node.isTypeOnly ? 'type' : 'static' };
  }
  if (ts.isExternalModuleReference(node)) return { specifier: specifierOf(node.expression), kind: 'static' };
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: specifierOf(node.argument.literal), kind: 'type' };
  }
  if (ts.isCallExpression(node) && loadsModule(node.expression)) {
    return { specifier: specifierOf(node.arguments[0]), kind: 'dynamic' };
  }
  return undefined;
}

/** `import()`, `require()` and what `createRequire` makes, under its usual name. */
function loadsModule(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

/** A computed name is given as its source text, which no rule knows: it is reported, not overlooked. */
function specifierOf(expression: ts.Expression | undefined): string {
  if (expression === undefined) return '';
  return ts.isStringLiteralLike(expression) ? expression.text : expression.getText();
}

/** Whether the compiler leaves nothing of the import, so that nothing is loaded. */
function isErased(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
}

// two bits: one of them is that of a plain `using`
const AWAIT_USING: number = ts.NodeFlags.AwaitUsing;

function awaitsAtTopLevel(source: ts.SourceFile): boolean {
  const awaits = (node: ts.Node): boolean => {
    // the body of a function runs later; a computed name or an `extends` clause of a class runs now
    if (ts.isFunctionLike(node)) return false;
    if (ts.isAwaitExpression(node)) return true;
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return true;
    if (ts.isVariableDeclarationList(node) && (node.flags & AWAIT_USING) === AWAIT_USING) return true;
    return ts.forEachChild(node, awaits) ?? false;
  };
  return awaits(source);
}
