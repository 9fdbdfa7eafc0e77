// Prints the algorithm of an encrypted private key: ReadKey KEY PASSPHRASE-FILE

import java.nio.file.*;
import java.security.*;
import java.security.spec.*;
import java.util.Base64;
import javax.crypto.*;
import javax.crypto.spec.*;

public class ReadKey {
    public static void main(String[] arguments) throws Exception {
        String pem = Files.readString(Path.of(arguments[0])).replaceAll("-----[^-]+-----|\\s", "");
        EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(Base64.getDecoder().decode(pem));
        char[] passphrase = Files.readString(Path.of(arguments[1])).toCharArray();
        String name = info.getAlgParameters().toString();
        Cipher cipher = Cipher.getInstance(name);
        SecretKey secret = SecretKeyFactory.getInstance(name).generateSecret(new PBEKeySpec(passphrase));
        cipher.init(Cipher.DECRYPT_MODE, secret, info.getAlgParameters());
        PKCS8EncodedKeySpec spec = info.getKeySpec(cipher);
        for (String kind : new String[] {"EC", "RSA", "Ed25519"}) {
            try {
                System.out.println(KeyFactory.getInstance(kind).generatePrivate(spec).getAlgorithm());
                return;
            } catch (InvalidKeySpecException other) {
                // Of another kind.
            }
        }
        throw new InvalidKeyException("of no kind that is known");
    }
}
