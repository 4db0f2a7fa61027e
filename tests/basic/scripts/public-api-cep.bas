' answers: 01310-100
TALK "CEP?"
HEAR cep AS CEP
clean = REPLACE(cep, "-", "")
a = GET "https://cep.example.com/ws/" + clean + "/json/"
if a.erro then
  talk "CEP not found"
else
  BEGIN TALK
  **${cep}**
  ${a.logradouro}, ${a.bairro}
  ${a.localidade} - ${a.uf}
  END TALK
end if
