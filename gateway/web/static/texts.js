/** Every text of the chat, in four languages. */
export const TEXTS = {
  en: { name: "English", write: "Write a message", send: "Send", stop: "Stop the answer", attach: "Attach a file",
    fresh: "New conversation", theme: "Light or dark", language: "Language", typing: "is writing…", you: "You",
    online: "Connected", connecting: "Connecting…", offline: "No connection. Your messages are kept and sent later.",
    failed: "That did not work: ", again: "Try again", sources: "Sources", suggestions: "Suggestions", log: "Conversation",
    ended: "This conversation is over.", copy: "Copy", copied: "Copied", waiting: "Waiting to be sent", uploading: "Uploading",
    today: "Today", yesterday: "Yesterday", busy: "The service is busy; trying again.", remove: "Remove" },
  pt: { name: "Português", write: "Escreva uma mensagem", send: "Enviar", stop: "Parar a resposta", attach: "Anexar um arquivo",
    fresh: "Nova conversa", theme: "Claro ou escuro", language: "Idioma", typing: "está escrevendo…", you: "Você",
    online: "Conectado", connecting: "Conectando…", offline: "Sem conexão. Suas mensagens ficam guardadas e vão depois.",
    failed: "Não deu certo: ", again: "Tentar de novo", sources: "Fontes", suggestions: "Sugestões", log: "Conversa",
    ended: "Esta conversa terminou.", copy: "Copiar", copied: "Copiado", waiting: "À espera de envio", uploading: "Enviando",
    today: "Hoje", yesterday: "Ontem", busy: "O serviço está ocupado; tentando de novo.", remove: "Remover" },
  es: { name: "Español", write: "Escribe un mensaje", send: "Enviar", stop: "Detener la respuesta", attach: "Adjuntar un archivo",
    fresh: "Nueva conversación", theme: "Claro u oscuro", language: "Idioma", typing: "está escribiendo…", you: "Tú",
    online: "Conectado", connecting: "Conectando…", offline: "Sin conexión. Tus mensajes se guardan y se envían después.",
    failed: "No funcionó: ", again: "Intentar de nuevo", sources: "Fuentes", suggestions: "Sugerencias", log: "Conversación",
    ended: "Esta conversación terminó.", copy: "Copiar", copied: "Copiado", waiting: "Pendiente de envío", uploading: "Subiendo",
    today: "Hoy", yesterday: "Ayer", busy: "El servicio está ocupado; se intenta de nuevo.", remove: "Quitar" },
  ru: { name: "Русский", write: "Напишите сообщение", send: "Отправить", stop: "Остановить ответ", attach: "Прикрепить файл",
    fresh: "Новая беседа", theme: "Светлая или тёмная", language: "Язык", typing: "пишет…", you: "Вы",
    online: "На связи", connecting: "Подключение…", offline: "Нет связи. Сообщения сохранены и уйдут позже.",
    failed: "Не получилось: ", again: "Повторить", sources: "Источники", suggestions: "Подсказки", log: "Беседа",
    ended: "Эта беседа окончена.", copy: "Копировать", copied: "Скопировано", waiting: "Ждёт отправки", uploading: "Загрузка",
    today: "Сегодня", yesterday: "Вчера", busy: "Сервис занят, повторяем.", remove: "Убрать" },
};

/** The language to begin with: the person's choice, else the browser's, else English. */
export function firstLanguage() {
  const chosen = localStorage.getItem("parley-language");
  if (chosen && TEXTS[chosen]) return chosen;
  for (const wanted of navigator.languages || [navigator.language]) {
    const short = String(wanted).slice(0, 2).toLowerCase();
    if (TEXTS[short]) return short;
  }
  return "en";
}
