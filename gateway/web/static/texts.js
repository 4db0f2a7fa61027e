/** Every text of the chat, in four languages. */
import { read } from "./keeping.js";

export const TEXTS = {
  en: { code: "en", name: "English", write: "Write a message", send: "Send", stop: "Stop the answer", attach: "Attach a file",
    fresh: "New conversation", theme: "Light or dark", language: "Language", typing: "is writing…", you: "You",
    online: "Connected", connecting: "Connecting…", offline: "Reconnecting…", waiting: "Waiting to be sent",
    failed: "That did not work: {reason}", again: "Try again", sources: "Sources", suggestions: "Suggestions", log: "Conversation",
    ended: "This conversation is over.", copy: "Copy", copied: "Copied", uploading: "Uploading…", latest: "Newest messages",
    today: "Today", yesterday: "Yesterday", busy: "The service is busy; trying again.", remove: "Remove", notSent: "Not sent",
    noBot: "There is no bot “{bot}” here.", tooLarge: "“{name}” is too large: a file may have {size}.", empty: "“{name}” is empty.",
    tooMany: "A message may have {count} files.", notUploaded: "“{name}” could not be uploaded.", download: "Download",
    table: "Table", listing: "Code", tooLong: "This message is too long to be sent; please shorten it.",
    refused: "Not available",
    notAllowed: "This chat does not accept visitors from {origin}.",
    noSocket: "The live connection cannot be opened; the network or a browser extension may be blocking WebSockets. Trying again.",
    notDownloaded: "“{name}” could not be downloaded." },
  pt: { code: "pt", name: "Português", write: "Escreva uma mensagem", send: "Enviar", stop: "Parar a resposta", attach: "Anexar um arquivo",
    fresh: "Nova conversa", theme: "Claro ou escuro", language: "Idioma", typing: "está escrevendo…", you: "Você",
    online: "Conectado", connecting: "Conectando…", offline: "Reconectando…", waiting: "À espera de envio",
    failed: "Não deu certo: {reason}", again: "Tentar de novo", sources: "Fontes", suggestions: "Sugestões", log: "Conversa",
    ended: "Esta conversa terminou.", copy: "Copiar", copied: "Copiado", uploading: "Enviando…", latest: "Mensagens mais recentes",
    today: "Hoje", yesterday: "Ontem", busy: "O serviço está ocupado; tentando de novo.", remove: "Remover", notSent: "Não enviada",
    noBot: "Não há um bot “{bot}” aqui.", tooLarge: "“{name}” é grande demais: um arquivo pode ter {size}.", empty: "“{name}” está vazio.",
    tooMany: "Uma mensagem pode ter {count} arquivos.", notUploaded: "Não foi possível enviar “{name}”.", download: "Baixar",
    table: "Tabela", listing: "Código", tooLong: "Esta mensagem é longa demais para ser enviada; encurte-a.",
    refused: "Indisponível",
    notAllowed: "Este chat não aceita visitantes de {origin}.",
    noSocket: "Não é possível abrir a conexão ao vivo; a rede ou uma extensão do navegador pode estar bloqueando WebSockets. Tentando de novo.",
    notDownloaded: "Não foi possível baixar “{name}”." },
  es: { code: "es", name: "Español", write: "Escribe un mensaje", send: "Enviar", stop: "Detener la respuesta", attach: "Adjuntar un archivo",
    fresh: "Nueva conversación", theme: "Claro u oscuro", language: "Idioma", typing: "está escribiendo…", you: "Tú",
    online: "Conectado", connecting: "Conectando…", offline: "Reconectando…", waiting: "Pendiente de envío",
    failed: "No funcionó: {reason}", again: "Intentar de nuevo", sources: "Fuentes", suggestions: "Sugerencias", log: "Conversación",
    ended: "Esta conversación terminó.", copy: "Copiar", copied: "Copiado", uploading: "Subiendo…", latest: "Mensajes más recientes",
    today: "Hoy", yesterday: "Ayer", busy: "El servicio está ocupado; se intenta de nuevo.", remove: "Quitar", notSent: "No enviado",
    noBot: "Aquí no hay ningún bot “{bot}”.", tooLarge: "“{name}” es demasiado grande: un archivo puede tener {size}.", empty: "“{name}” está vacío.",
    tooMany: "Un mensaje puede tener {count} archivos.", notUploaded: "No se pudo subir “{name}”.", download: "Descargar",
    table: "Tabla", listing: "Código", tooLong: "Este mensaje es demasiado largo para enviarlo; acórtalo.",
    refused: "No disponible",
    notAllowed: "Este chat no acepta visitantes de {origin}.",
    noSocket: "No se puede abrir la conexión en vivo; la red o una extensión del navegador puede estar bloqueando WebSockets. Se intenta de nuevo.",
    notDownloaded: "No se pudo descargar “{name}”." },
  ru: { code: "ru", name: "Русский", write: "Напишите сообщение", send: "Отправить", stop: "Остановить ответ", attach: "Прикрепить файл",
    fresh: "Новая беседа", theme: "Светлая или тёмная", language: "Язык", typing: "пишет…", you: "Вы",
    online: "На связи", connecting: "Подключение…", offline: "Переподключение…", waiting: "Ждёт отправки",
    failed: "Не получилось: {reason}", again: "Повторить", sources: "Источники", suggestions: "Подсказки", log: "Беседа",
    ended: "Эта беседа окончена.", copy: "Копировать", copied: "Скопировано", uploading: "Загрузка…", latest: "Новые сообщения",
    today: "Сегодня", yesterday: "Вчера", busy: "Сервис занят, повторяем.", remove: "Убрать", notSent: "Не отправлено",
    noBot: "Бота «{bot}» здесь нет.", tooLarge: "Файл «{name}» слишком большой: можно до {size}.", empty: "Файл «{name}» пуст.",
    tooMany: "В сообщении может быть не больше {count} файлов.", notUploaded: "Не удалось загрузить «{name}».", download: "Скачать",
    table: "Таблица", listing: "Код", tooLong: "Сообщение слишком длинное, сократите его.",
    refused: "Недоступно",
    notAllowed: "Этот чат не принимает посетителей с {origin}.",
    noSocket: "Не удаётся открыть постоянное соединение: возможно, сеть или расширение браузера блокирует WebSocket. Повторяем.",
    notDownloaded: "Не удалось скачать «{name}»." },
};

/** The language of a tag such as "pt-BR", nothing when it is not one of ours. @param {string | null} tag */
export function known(tag) {
  const short = String(tag || "").slice(0, 2).toLowerCase();
  return TEXTS[short] ? short : "";
}

/** The language to begin with: the person's choice, else the page's, else the browser's, else English. */
export function firstLanguage(attribute) {
  const wanted = [read("parley-language"), attribute, ...(navigator.languages || [navigator.language])];
  return wanted.map(known).find(Boolean) || "en";
}

/** A text with its places filled. @param {string} language @param {string} key @param {object} [values] */
export function say(language, key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
