// Starts `parley lsp` and hands it the scripts that are open.
'use strict'

const fs = require('fs')
const path = require('path')
const vscode = require('vscode')
const { LanguageClient } = require('vscode-languageclient/node')

let client

// What is set; else ./parley of the workspace; else parley on the path.
function commandOf(configured, folders, exists) {
  if (configured) return configured
  const name = process.platform === 'win32' ? 'parley.cmd' : 'parley'
  return folders.map((folder) => path.join(folder, name)).find(exists) || name
}

function activate(context) {
  const configured = vscode.workspace.getConfiguration('parley').get('command', '')
  const folders = (vscode.workspace.workspaceFolders || []).map((folder) => folder.uri.fsPath)
  const trusted = vscode.workspace.isTrusted === false ? [] : folders
  const command = commandOf(configured, trusted, fs.existsSync)
  const server = { command, args: ['lsp', '--stdio'] }
  client = new LanguageClient('parley-basic', 'Parley BASIC', server, {
    documentSelector: [{ scheme: 'file', language: 'parley-basic' }, { scheme: 'untitled', language: 'parley-basic' }],
  })
  context.subscriptions.push({ dispose: deactivate })
  return client.start()
}

function deactivate() {
  const stopped = client ? client.stop() : undefined
  client = undefined
  return stopped
}

module.exports = { activate, deactivate, commandOf }
